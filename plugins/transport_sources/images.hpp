#pragma once

#include "image.hpp"
#include "regularization_options.hpp"

namespace transport_sources {

struct ImagesOptions {
  std::string source_file = {}, target_file = {};
  std::string source_dataset = {}, target_dataset = {};
  int source_index = -1, target_index = -1;
  std::string mode = "pixels";
  std::vector<int> resample = {};
  bool invert = false;
  double background = 0.0;
  bool normalise = true;
  int colours = 1000;
  int clustering_steps = 5;
  std::string norm = "euclidean";
  double power = 2.0;
  std::optional<double> scale = 1.0;
  bool separable = true;
  RegularizationOptions common = {};

  static void describe(Fields<ImagesOptions>& f);
  static void check(const ImagesOptions& o, const std::string& prefix, const SourceLocation& where,
                    Diagnostics& problems);
};

/// Transport between two pictures.
///   pixels:  the points are the middles of pixels (column, row; in pixels), the masses their
///            brightness plus `background` times the largest; pixels without mass are left out.
///   colours: the points are colours in [0, 1]^3, sampled or clustered from either picture; the plan
///            gives the barycentric map x_i -> sum_j P_ij y_j / sum_j P_ij, with which `libsolve plot`
///            draws the source in the colours of the target.
/// Cost |x - y|^p as in point-clouds; where it is a sum over the axes (power 2, or Manhattan) and every
/// pixel has mass, by passes axis by axis (make_grid_cost), on one rank. Rows over ranks. The pictures are stored with the results.
class ImagesSource final : public ProblemSource {
 public:
  static constexpr std::string_view problem_class = TransportProblem::class_name;
  using Options = ImagesOptions;
  ImagesSource(const Options& options, const Context& context)
      : options_(options), context_(context) {}
  std::unique_ptr<Problem> create() override;

 private:
  Image read(const std::string& file, const std::string& dataset, int index,
             const std::string& fallback) const;
  Options options_;
  Context context_;
};

}  // namespace transport_sources
