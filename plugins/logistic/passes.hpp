#pragma once

#include "sample_data.hpp"

namespace logistic {

/// Passes over the first `count` samples. On the host one pass over the rows does everything, with
/// sums in a number of shares that depends on the sizes only, so results do not depend on the
/// number of threads; elsewhere (and with `by_columns`, for tests on the host) a pass over rows is
/// followed by one over columns.

/// 1/N sum_i log(1 + exp(-z_i^T x)), its gradient g (n) and the weights w (N) of its Hessian.
double loss_pass(const SampleData& data, Index count, const ConstVectorView& x, const VectorView& g,
                 const VectorView& w, bool by_columns);

/// y = Z^T (w o (Z v)); `work` has `count` entries (only by columns).
void product_pass(const SampleData& data, Index count, const ConstVectorView& w,
                  const ConstVectorView& v, const VectorView& y, const VectorView& work,
                  bool by_columns);

/// The lower triangle of Z^T diag(w) Z by rows, entry (i, j) at i (i + 1) / 2 + j. On the host
/// sparse rows are scattered and rows that are rather full go through dense panels.
void hessian_pass(const SampleData& data, Index count, const ConstVectorView& w,
                  const VectorView& values, bool by_columns);

}  // namespace logistic
