#include "svm_samples.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random.hpp>
#include <numeric>
#include <set>

namespace bilevel_sources {

void SvmSamples::add(const LabelledSamples& from, Index i, double sign) {
  const auto row = static_cast<std::size_t>(i);
  const auto begin = static_cast<std::size_t>(from.row_pointers[row]);
  const auto end = static_cast<std::size_t>(from.row_pointers[row + 1]);
  labels_.push_back(sign);
  if (is_full()) {
    values_.resize(values_.size() + columns_, 0.0);
    double* const to = &values_[values_.size() - columns_];
    for (std::size_t e = begin; e < end; ++e)
      to[static_cast<std::size_t>(from.columns[e])] = sign * from.values[e];
    to[columns_ - 1] = sign;
    return;
  }
  for (std::size_t e = begin; e < end; ++e) {
    indices_.push_back(static_cast<std::size_t>(from.columns[e]));
    values_.push_back(sign * from.values[e]);
  }
  indices_.push_back(columns_ - 1);
  values_.push_back(sign);
  pointers_.push_back(values_.size());
}

void SvmSamples::multiply(std::span<const double> u, std::span<double> m) const {
  const std::size_t n = labels_.size();
  if (!is_full()) {
    for (std::size_t i = 0; i < n; ++i) {
      double sum = 0.0;
      for (std::size_t e = pointers_[i]; e < pointers_[i + 1]; ++e)
        sum += values_[e] * u[indices_[e]];
      m[i] = sum;
    }
    return;
  }
  for (std::size_t i = 0; i < n; ++i) {
    const double* const a = full_row(i);
    double sum = 0.0;
#pragma omp simd reduction(+ : sum)
    for (std::size_t j = 0; j < columns_; ++j) sum += a[j] * u[j];
    m[i] = sum;
  }
}

void SvmSamples::add_transposed(std::span<const double> weights, std::span<double> out) const {
  const std::size_t n = labels_.size();
  for (std::size_t i = 0; i < n; ++i) {
    const double weight = weights[i];
    if (weight == 0.0) continue;
    if (!is_full()) {
      for (std::size_t e = pointers_[i]; e < pointers_[i + 1]; ++e)
        out[indices_[e]] += weight * values_[e];
      continue;
    }
    const double* const a = full_row(i);
    double* const to = out.data();
#pragma omp simd
    for (std::size_t j = 0; j < columns_; ++j) to[j] += weight * a[j];
  }
}

namespace {

/// 0, ..., n - 1 in an order drawn from the seed.
std::vector<Index> random_order(Index n, std::uint64_t seed, std::string_view purpose) {
  const RandomStream stream(seed, purpose);
  std::vector<std::pair<std::uint64_t, Index>> keys;
  for (Index i = 0; i < n; ++i) keys.emplace_back(stream.bits(static_cast<std::uint64_t>(i)), i);
  std::sort(keys.begin(), keys.end());
  std::vector<Index> order;
  for (const auto& key : keys) order.push_back(key.second);
  return order;
}

double positive_label(const LabelledSamples& samples, const std::string& origin) {
  const std::set<double> labels(samples.labels.begin(), samples.labels.end());
  if (labels.size() == 2) return *labels.rbegin();
  throw DataError(origin + ": two different labels are needed, found " +
                  std::to_string(labels.size()) +
                  "; a support vector machine separates two "
                  "classes");
}

}  // namespace

SvmSplit split_samples(const LabelledSamples& samples, const std::string& origin, Index training,
                       Index validation, double flipped, std::uint64_t seed) {
  const Index n = samples.num_rows();
  if (training + validation >= n)
    throw DataError(origin + " has " + std::to_string(n) + " samples, asked for are " +
                    std::to_string(training) + " for training, " + std::to_string(validation) +
                    " for validation and at least one for tests");
  const double positive = positive_label(samples, origin);
  const Index columns = samples.num_columns + 1;
  SvmSplit split{SvmSamples(columns), SvmSamples(columns), SvmSamples(columns),
                 std::vector<bool>(static_cast<std::size_t>(training), false)};
  const std::vector<Index> turned = random_order(training, seed, "svm::flipped");
  const auto num_flipped = static_cast<std::size_t>(std::lround(flipped * training));
  for (std::size_t k = 0; k < num_flipped; ++k)
    split.is_flipped[static_cast<std::size_t>(turned[k])] = true;
  const std::vector<Index> order = random_order(n, seed, "svm::order");
  for (Index k = 0; k < n; ++k) {
    const Index i = order[static_cast<std::size_t>(k)];
    double sign = samples.labels[static_cast<std::size_t>(i)] == positive ? 1.0 : -1.0;
    if (k < training && split.is_flipped[static_cast<std::size_t>(k)]) sign = -sign;
    SvmSamples& to = k < training                ? split.training
                     : k < training + validation ? split.validation
                                                 : split.test;
    to.add(samples, i, sign);
  }
  return split;
}

}  // namespace bilevel_sources
