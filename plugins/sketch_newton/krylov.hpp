#pragma once

#include <functional>

#include "form.hpp"

namespace sketch_newton {

using Multiply = std::function<void(In, Out)>;

/// Largest absolute value; NaN where there is one.
double largest(In x);

/// Sum of absolute values.
double sum_of_sizes(In x);

/// Asked once an iteration; true ends it. May be empty.
using Stop = std::function<bool()>;

/// Flexible GMRES (Saad 1993) with one restart length of `steps`: x += the best correction of b - A
/// x from that many preconditioned directions, until the 2-norm of the residual is `relative` times
/// that of b. Returns |b - A x|_inf / |b|_inf, recomputed.
double flexible_gmres(const Multiply& multiply, const Multiply& precondition, In b, Out x,
                      double relative, std::size_t steps, const Stop& stop = {});

/// MINRES (Paige and Saunders 1975) on S A S with S = diag(scale), from x = 0; the residual is that
/// of the scaled system. Returns |b - A x|_inf / |b|_inf, recomputed; `steps`: products with A.
double minres(const Multiply& multiply, In scale, In b, Out x, double relative,
              std::int64_t most_steps, std::int64_t& steps, const Stop& stop = {});

}  // namespace sketch_newton
