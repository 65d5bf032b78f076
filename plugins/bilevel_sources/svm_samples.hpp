#pragma once

#include <libsolve/io/libsvm.hpp>
#include <span>
#include <string>
#include <vector>

namespace bilevel_sources {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// Rows a_i = t_i (z_i, 1) of samples z_i with labels t_i = +-1, so that a_i . (w, b) is the
/// margin; stored full up to `most_full` columns, else compressed.
class SvmSamples {
 public:
  static constexpr Index most_full = 600;

  explicit SvmSamples(Index num_columns) : columns_(static_cast<std::size_t>(num_columns)) {}
  /// Row `i` of `from` with the label `sign`; without the 1 of the last column in `from`.
  void add(const LabelledSamples& from, Index i, double sign);

  Index num_rows() const { return static_cast<Index>(labels_.size()); }
  Index num_columns() const { return static_cast<Index>(columns_); }  ///< features and 1
  bool is_full() const { return columns_ <= static_cast<std::size_t>(most_full); }
  const std::vector<double>& labels() const { return labels_; }
  /// The row where rows are full.
  const double* full_row(std::size_t i) const { return &values_[i * columns_]; }
  /// visit(column, value) for the entries of row i.
  template <class Visit>
  void for_row(std::size_t i, const Visit& visit) const {
    if (is_full()) {
      for (std::size_t j = 0; j < columns_; ++j) visit(j, full_row(i)[j]);
    } else {
      for (std::size_t e = pointers_[i]; e < pointers_[i + 1]; ++e) visit(indices_[e], values_[e]);
    }
  }
  /// m = A u.
  void multiply(std::span<const double> u, std::span<double> m) const;
  /// out += A^T weights.
  void add_transposed(std::span<const double> weights, std::span<double> out) const;

 private:
  std::size_t columns_;
  std::vector<double> labels_, values_;
  std::vector<std::size_t> pointers_ = {0}, indices_;
};

/// Training, validation and test samples of one file, in an order drawn from the seed.
struct SvmSplit {
  SvmSamples training, validation, test;
  std::vector<bool> is_flipped;  ///< training samples whose label was turned
};

/// The first `training` and then `validation` samples of a random order; the rest is for tests.
/// The larger of the two labels becomes +1; the labels of a random part `flipped` of the training
/// samples are turned. DataError, naming `origin`, where the samples do not suffice or there are
/// not two labels.
SvmSplit split_samples(const LabelledSamples& samples, const std::string& origin, Index training,
                       Index validation, double flipped, std::uint64_t seed);

}  // namespace bilevel_sources
