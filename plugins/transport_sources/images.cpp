#include "images.hpp"

#include <algorithm>
#include <filesystem>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/together.hpp>
#include <libsolve/transport/grid_cost.hpp>
#include <tuple>

#include "colours.hpp"
#include "point_clouds.hpp"

namespace transport_sources {

void ImagesOptions::describe(Fields<ImagesOptions>& f) {
  using O = ImagesOptions;
  f.add("source_file", &O::source_file, "a PNG file, a portable anymap (PGM, PPM) or an HDF5 file").required().file();
  f.add("target_file", &O::target_file, "likewise; empty: source_file").file();
  f.add("source_dataset", &O::source_dataset, "of an HDF5 file: h x w, h x w x 3, or a stack of such");
  f.add("target_dataset", &O::target_dataset, "likewise; empty: source_dataset, where the file is the same");
  f.add("source_index", &O::source_index, Range::at_least(-1), "which of a stack; -1: no stack");
  f.add("target_index", &O::target_index, Range::at_least(-1), "which of a stack; -1: no stack");
  f.add("mode", &O::mode, Choices{{"pixels", "colours"}},
        "pixels: brightness moves over the picture; colours: colours move in the colour cube");
  f.add("resample", &O::resample, Range::closed(1, 65536),
        "width and height to which both pictures are brought first; empty: as they are");
  f.add("invert", &O::invert, "mass is darkness: 1 - brightness (mode pixels)");
  f.add("background", &O::background, Range::at_least(0.0),
        "mass added to each pixel, as a part of the largest of its picture (mode pixels)");
  f.add("normalise", &O::normalise, "divide the masses of each picture by their total (mode pixels)");
  f.add("colours", &O::colours, Range::at_least(1), "colours taken from each picture (mode colours)");
  f.add("clustering_steps", &O::clustering_steps, Range::at_least(0),
        "steps of Lloyd's algorithm from sampled pixels to clusters (mode colours)");
  f.add("norm", &O::norm, Choices{{"euclidean", "manhattan"}}, "of x - y; manhattan with power 1");
  f.add("power", &O::power, Range::above(0.0), "p of the cost |x - y|^p");
  f.add("scale", &O::scale, Range::above(0.0),
        "factor of the cost; auto: 1 / its largest entry, which becomes 1");
  f.add("separable", &O::separable,
        "work axis by axis where the cost is a sum over them and every pixel has mass, on one rank");
  f.add_group(&O::common);
}

void ImagesOptions::check(const ImagesOptions& o, const std::string& prefix,
                          const SourceLocation& where, Diagnostics& problems) {
  RegularizationOptions::check(o.common, prefix, where, problems);
  if (!o.resample.empty() && o.resample.size() != 2)
    problems.add(where, prefix + "resample", "must have two numbers, width and height, has " +
                                                 std::to_string(o.resample.size()));
  if (o.norm == "manhattan" && o.power != 1.0)
    problems.add(where, prefix + "power",
                 "must be 1 with norm = \"manhattan\", is " + format_number(o.power));
  for (const auto& [index, dataset, name] :
       {std::tuple{o.source_index, o.source_dataset, "source_index"},
        std::tuple{o.target_index, o.target_dataset + o.source_dataset, "target_index"}})
    if (index >= 0 && dataset.empty())
      problems.add(where, prefix + name, "is for a stack of images in an HDF5 dataset; name it");
}

namespace {

/// Points with masses of which each rank takes its rows.
struct Cloud {
  std::vector<double> points = {};  ///< row after row
  std::vector<double> masses = {};
  std::size_t dimension = 2;
};

Cloud pixels_of(const Image& picture, const ImagesOptions& o, const std::string& name) {
  Image image = grey(picture);
  for (double& v : image.values) v = o.invert ? 1.0 - v : v;
  const double largest = *std::max_element(image.values.begin(), image.values.end());
  Cloud cloud;
  double total = 0.0;
  for (int row = 0; row < image.height; ++row)
    for (int column = 0; column < image.width; ++column) {
      const double mass = image.at(row, column) + o.background * largest;
      if (mass <= 0.0) continue;
      cloud.points.insert(cloud.points.end(), {column + 0.5, row + 0.5});
      cloud.masses.push_back(mass);
      total += mass;
    }
  if (cloud.masses.empty())
    throw DataError(name + " has no mass: every pixel is " + (o.invert ? "white" : "black"));
  if (o.normalise)
    for (double& m : cloud.masses) m /= total;
  return cloud;
}

Cloud colours_of(const Image& image, const ImagesOptions& o, const Context& context,
                 const char* purpose) {
  const Palette palette =
      palette_of(image, o.colours, o.clustering_steps, context.seed, purpose);
  return {palette.points, palette.masses, 3};
}

DenseBlock own_points(const Cloud& cloud, const Partition& rows) {
  const DenseBlock block("transport_sources::points", static_cast<std::size_t>(rows.local_size()),
                         cloud.dimension);
  const auto host = Kokkos::create_mirror_view(block);
  std::copy_n(cloud.points.begin() + static_cast<std::ptrdiff_t>(
                                         static_cast<std::size_t>(rows.first_row()) * cloud.dimension),
              host.size(), host.data());
  Kokkos::deep_copy(block, host);
  return block;
}

Vector own_masses(const Cloud& cloud, const Partition& rows) {
  const Vector v("transport_sources::masses", rows);
  const auto host = Kokkos::create_mirror_view(v.view());
  std::copy_n(cloud.masses.begin() + static_cast<std::ptrdiff_t>(rows.first_row()), host.extent(0),
              host.data());
  Kokkos::deep_copy(v.view(), host);
  return v;
}

PlaneGrid grid_of(const Image& image) {
  return {{image.height, image.width}, {1.0, 1.0}, {0.5, 0.5}};
}

/// The picture as a field, whole on every rank.
Field field_of(const Image& image, const char* name) {
  const Vector values(name, Partition(static_cast<GlobalIndex>(image.values.size())));
  const auto host = Kokkos::create_mirror_view(values.view());
  std::copy(image.values.begin(), image.values.end(), host.data());
  Kokkos::deep_copy(values.view(), host);
  Field field{.name = name, .values = values};
  field.shape = {image.height, image.width};
  if (image.channels > 1) field.shape.push_back(image.channels);
  field.description = "picture, values in [0, 1], rows from the top";
  return field;
}

}  // namespace

Image ImagesSource::read(const std::string& file, const std::string& dataset, int index,
                         const std::string& fallback) const {
  const bool hdf5 = file.ends_with(".h5") || file.ends_with(".hdf5") || file.ends_with(".hdf");
  const std::string& set = dataset.empty() && hdf5 ? fallback : dataset;
  if (hdf5 && set.empty())
    throw InputError({}, "source_dataset", "is missing: '" + file + "' is HDF5, and the picture is "
                                           "one of its datasets");
  const Image image = read_image(file, set, index);
  return options_.resample.empty() ? image
                                   : resampled(image, options_.resample[0], options_.resample[1]);
}

std::unique_ptr<Problem> ImagesSource::create() {
  const ImagesOptions& o = options_;
  const std::string from = context_.resolve_file(o.source_file);
  const std::string to = o.target_file.empty() ? from : context_.resolve_file(o.target_file);
  const bool pixels = o.mode == "pixels";
  Image source, target;
  Cloud x, y;
  together(context_.communicator, [&] {
    source = read(from, o.source_dataset, o.source_index, "");
    target = read(to, o.target_dataset, o.target_index, from == to ? o.source_dataset : "");
    x = pixels ? pixels_of(source, o, "'" + from + "'")
               : colours_of(source, o, context_, "transport_sources::source_colours");
    y = pixels ? pixels_of(target, o, "'" + to + "'")
               : colours_of(target, o, context_, "transport_sources::target_colours");
  });
  const Partition rows =
      rows_over_ranks(context_.communicator, static_cast<GlobalIndex>(x.masses.size()));
  const Partition columns{static_cast<GlobalIndex>(y.masses.size())};
  PointClouds points{own_points(x, rows), own_points(y, columns),
                     {.norm = o.norm == "manhattan" ? PointNorm::manhattan : PointNorm::euclidean,
                      .power = o.power}};
  const PlaneGrid source_grid = grid_of(source), target_grid = grid_of(target);
  const bool is_separable = o.separable && pixels && context_.communicator.size() == 1 &&
                            (o.norm == "manhattan" || o.power == 2.0) &&
                            rows.global_size() == source_grid.size() &&
                            columns.global_size() == target_grid.size();
  const auto cost = scaled_cost(points.cost, o.scale, [&](const PointCostOptions& options) {
    return is_separable ? make_grid_cost(source_grid, target_grid, options)
                        : make_point_cost(points.x, points.y, options, rows);
  });
  auto problem = make_problem(cost, own_masses(x, rows), own_masses(y, columns), o.common,
                              from == to ? "'" + from + "'" : "'" + from + "', '" + to + "'");
  problem->text = std::string(pixels ? "images, " : "colours of images, ") +
                  std::to_string(source.width) + " x " + std::to_string(source.height) + " to " +
                  std::to_string(target.width) + " x " + std::to_string(target.height) + ", " +
                  std::to_string(x.masses.size()) + " and " + std::to_string(y.masses.size()) +
                  " points";
  problem->points = std::move(points);
  problem->extra_data = {field_of(source, "source_image"), field_of(target, "target_image")};
  return problem;
}

}  // namespace transport_sources
