#pragma once

#include <functional>

#include "regularization_options.hpp"

namespace transport_sources {

struct PointCloudsOptions {
  std::string file = {}, x_file = {}, y_file = {};
  std::string masses = "auto";
  std::vector<int> size = {1000};
  int dimension = 2;
  std::string distribution = "uniform";
  std::string target_distribution = "same";
  std::vector<double> target_shift = {};
  std::string norm = "euclidean";
  double power = 2.0;
  std::optional<double> scale = 1.0;
  RegularizationOptions common = {};

  static void describe(Fields<PointCloudsOptions>& f);
  static void check(const PointCloudsOptions& o, const std::string& prefix,
                    const SourceLocation& where, Diagnostics& problems);
};

/// C_ij = scale |x_i - y_j|^p, computed where it is needed, never stored: O((n + m) d) memory. Points
/// from HDF5 (x: n x d, y: m x d, masses a, b), from two CSV files, or drawn. Points x lie over the
/// ranks in nearly equal parts.
class PointCloudsSource final : public ProblemSource {
 public:
  static constexpr std::string_view problem_class = TransportProblem::class_name;
  using Options = PointCloudsOptions;
  PointCloudsSource(const Options& options, const Context& context)
      : options_(options), context_(context) {}
  std::unique_ptr<Problem> create() override;

 private:
  struct Data {
    DenseBlock x = {}, y = {};
    Vector a = {}, b = {};
    std::string origin = {};
  };
  Data from_hdf5() const;
  Data from_csv() const;
  Data drawn() const;
  Options options_;
  Context context_;
};

/// A cost made for `options` with their scale set; `scale` without a value makes the largest cost 1.
using CostMaker = std::function<std::shared_ptr<const TransportCost>(const PointCostOptions&)>;
std::shared_ptr<const TransportCost> scaled_cost(PointCostOptions& options,
                                                 std::optional<double> scale, const CostMaker& make);

}  // namespace transport_sources
