#include "point_clouds.hpp"

#include <cmath>
#include <filesystem>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/core/together.hpp>
#include <libsolve/transport/point_cost.hpp>

#include "cloud_generator.hpp"
#include "csv.hpp"
#include "datasets.hpp"

namespace transport_sources {

void PointCloudsOptions::describe(Fields<PointCloudsOptions>& f) {
  using O = PointCloudsOptions;
  f.add("file", &O::file, "HDF5 with x (n x d), y (m x d) and, where masses are not uniform, a, b")
      .file();
  f.add("x_file", &O::x_file, "CSV with a point in each row; with y_file, instead of file").file();
  f.add("y_file", &O::y_file, "CSV with a point in each row").file();
  f.add("masses", &O::masses, Choices{{"auto", "uniform", "last-column", "random"}},
        "1 / n each, the last column of the CSV files, or drawn from [0.5, 1.5) and normalised; "
        "auto: what the HDF5 file has, else uniform");
  f.add("size", &O::size, Range::at_least(1), "points drawn without a file: n, or n and m");
  f.add("dimension", &O::dimension, Range::closed(1, 4096), "coordinates of points drawn");
  f.add("distribution", &O::distribution, Choices{distributions()}, "of the points drawn");
  std::vector<std::string> targets = {"same"};
  targets.insert(targets.end(), distributions().begin(), distributions().end());
  f.add("target_distribution", &O::target_distribution, Choices{targets}, "of the points y drawn");
  f.add("target_shift", &O::target_shift, "added to every point y drawn; empty: 0");
  f.add("norm", &O::norm, Choices{{"euclidean", "manhattan"}}, "of x - y; manhattan with power 1");
  f.add("power", &O::power, Range::above(0.0), "p of the cost |x - y|^p");
  f.add("scale", &O::scale, Range::above(0.0),
        "factor of the cost; auto: 1 / its largest entry, which becomes 1");
  f.add_group(&O::common);
}

void PointCloudsOptions::check(const PointCloudsOptions& o, const std::string& prefix,
                               const SourceLocation& where, Diagnostics& problems) {
  RegularizationOptions::check(o.common, prefix, where, problems);
  const bool csv = !o.x_file.empty() || !o.y_file.empty();
  if (csv && !o.file.empty())
    problems.add(where, prefix + "file", "is given beside x_file or y_file; points come from one or "
                                         "the other");
  if (o.x_file.empty() != o.y_file.empty())
    problems.add(where, prefix + (o.x_file.empty() ? "x_file" : "y_file"),
                 "is missing: CSV points need both files");
  if (o.masses == "last-column" && !csv)
    problems.add(where, prefix + "masses", "\"last-column\" is for points from CSV files");
  if (o.masses == "random" && (csv || !o.file.empty()))
    problems.add(where, prefix + "masses", "\"random\" is for points that are drawn");
  if (o.size.empty() || o.size.size() > 2)
    problems.add(where, prefix + "size", "must have one or two numbers");
  if (!o.target_shift.empty() && static_cast<int>(o.target_shift.size()) != o.dimension)
    problems.add(where, prefix + "target_shift",
                 "must have " + std::to_string(o.dimension) + " numbers, one for each coordinate, has " +
                     std::to_string(o.target_shift.size()));
  if (o.norm == "manhattan" && o.power != 1.0)
    problems.add(where, prefix + "power", "must be 1 with norm = \"manhattan\", is " +
                                              format_number(o.power));
}

PointCloudsSource::Data PointCloudsSource::from_hdf5() const {
  const std::string path = context_.resolve_file(options_.file);
  const Hdf5File file = open_data(path);
  const auto x_shape = shape_of(file, "x", 2, "points in rows, n x d");
  const auto y_shape = shape_of(file, "y", 2, "points in rows, m x d");
  const Partition rows = rows_over_ranks(context_.communicator, x_shape[0]);
  const Partition columns{y_shape[0]};
  Data data{.origin = "'" + path + "'"};
  data.x = read_rows(file, "x", rows, x_shape[1], true, context_.communicator);
  data.y = read_rows(file, "y", columns, y_shape[1], true, context_.communicator);
  if (options_.masses == "uniform") {
    data.a = uniform_mass(rows, "transport_sources::a");
    data.b = uniform_mass(columns, "transport_sources::b");
  } else {
    data.a = read_masses(file, "a", rows, std::to_string(x_shape[0]) + " points x");
    data.b = read_masses(file, "b", columns, std::to_string(y_shape[0]) + " points y");
  }
  return data;
}

namespace {

struct Cloud {
  DenseBlock points;
  Vector masses;
};

/// Own rows of a CSV file; its last column as masses where wanted.
Cloud cloud_of(const Table& table, const std::string& path, bool has_masses,
               const Partition& rows) {
  if (has_masses && table.columns < 2)
    throw InputError({path, 0, 0}, "masses",
                     "\"last-column\" needs a coordinate and a mass in each row, there is one number");
  const std::size_t d = table.columns - (has_masses ? 1 : 0);
  Cloud cloud{DenseBlock("transport_sources::points", static_cast<std::size_t>(rows.local_size()), d),
              uniform_mass(rows, "transport_sources::masses")};
  const auto points = Kokkos::create_mirror_view(cloud.points);
  const auto masses = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), cloud.masses.view());
  for (std::size_t i = 0; i < points.extent(0); ++i) {
    const double* row =
        table.values.data() + (static_cast<std::size_t>(rows.first_row()) + i) * table.columns;
    for (std::size_t k = 0; k < d; ++k) points(i, k) = row[k];
    if (has_masses) masses(i) = row[d];
  }
  Kokkos::deep_copy(cloud.points, points);
  Kokkos::deep_copy(cloud.masses.view(), masses);
  return cloud;
}

}  // namespace

PointCloudsSource::Data PointCloudsSource::from_csv() const {
  const std::string x_path = context_.resolve_file(options_.x_file);
  const std::string y_path = context_.resolve_file(options_.y_file);
  const bool has_masses = options_.masses == "last-column";
  Table x, y;
  together(context_.communicator, [&] {
    x = read_csv(x_path);
    y = read_csv(y_path);
    if (x.columns != y.columns)
      throw ShapeError("'" + x_path + "' has " + std::to_string(x.columns) + " columns, '" + y_path +
                       "' has " + std::to_string(y.columns) + "; both need the same coordinates");
  });
  const Partition rows =
      rows_over_ranks(context_.communicator, static_cast<GlobalIndex>(x.rows()));
  const Cloud source = cloud_of(x, x_path, has_masses, rows);
  const Cloud target =
      cloud_of(y, y_path, has_masses, Partition(static_cast<GlobalIndex>(y.rows())));
  return {source.points, target.points, source.masses, target.masses,
          "'" + x_path + "', '" + y_path + "'"};
}

PointCloudsSource::Data PointCloudsSource::drawn() const {
  const PointCloudsOptions& o = options_;
  const Partition rows = rows_over_ranks(context_.communicator, o.size.front());
  const Partition columns{o.size.back()};
  const std::string& target =
      o.target_distribution == "same" ? o.distribution : o.target_distribution;
  Data data{.origin = "drawn points"};
  data.x = random_points(o.distribution, rows, o.dimension, context_.seed, "transport_sources::x", {});
  data.y = random_points(target, columns, o.dimension, context_.seed, "transport_sources::y",
                         o.target_shift);
  const bool random = o.masses == "random";
  data.a = random ? random_masses(rows, context_.seed, "transport_sources::a")
                  : uniform_mass(rows, "transport_sources::a");
  data.b = random ? random_masses(columns, context_.seed, "transport_sources::b")
                  : uniform_mass(columns, "transport_sources::b");
  return data;
}

std::shared_ptr<const TransportCost> scaled_cost(PointCostOptions& options,
                                                 std::optional<double> scale, const CostMaker& make) {
  options.scale = scale.value_or(1.0);
  const std::shared_ptr<const TransportCost> cost = make(options);
  if (scale) return cost;
  const double largest = cost->maximum();
  if (!(largest > 0.0) || !std::isfinite(largest))
    throw DataError("the largest cost is " + format_number(largest) +
                    ", so scale = \"auto\" has nothing to refer to; give a number");
  options.scale = 1.0 / largest;
  return make(options);
}

std::unique_ptr<Problem> PointCloudsSource::create() {
  const PointCloudsOptions& o = options_;
  const Data data = !o.file.empty()     ? from_hdf5()
                    : !o.x_file.empty() ? from_csv()
                                        : drawn();
  if (data.x.extent(1) != data.y.extent(1))
    throw ShapeError(data.origin + ": points x have " + std::to_string(data.x.extent(1)) +
                     " coordinates, points y " + std::to_string(data.y.extent(1)) +
                     "; both need the same number");
  PointClouds points{data.x, data.y,
                     {.norm = o.norm == "manhattan" ? PointNorm::manhattan : PointNorm::euclidean,
                      .power = o.power}};
  const auto cost = scaled_cost(points.cost, o.scale, [&](const PointCostOptions& options) {
    return make_point_cost(points.x, points.y, options, data.a.partition());
  });
  auto problem = make_problem(cost, data.a, data.b, o.common, data.origin);
  const std::string where =
      !o.file.empty() || !o.x_file.empty()
          ? std::filesystem::path(o.file.empty() ? o.x_file : o.file).filename().string() + ": "
          : "";
  problem->text = where + std::to_string(cost->rows().global_size()) + " and " +
                  std::to_string(cost->num_columns()) + " points, " + cost->description();
  problem->points = std::move(points);
  return problem;
}

}  // namespace transport_sources
