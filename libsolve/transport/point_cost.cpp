#include <cmath>
#include <functional>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/together.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/transport/cost_functions.hpp>
#include <libsolve/transport/functor_cost.hpp>
#include <libsolve/transport/point_cost.hpp>

namespace libsolve {

namespace {

using Coordinates = Kokkos::View<double**, Kokkos::LayoutRight, MemSpace>;  // d x padded points

template <class F>
class PointCost final : public FunctorCost<F> {
 public:
  PointCost(F f, const Coordinates& x, const Coordinates& y, const Partition& rows,
            Index num_columns, const std::string& text,
            std::function<std::shared_ptr<const TransportCost>()> transpose)
      : FunctorCost<F>(f, rows, num_columns, text), x_(x), y_(y), transpose_(std::move(transpose)) {}
  std::shared_ptr<const TransportCost> transposed() const override {
    this->refuse_several_ranks();
    return transpose_();
  }
  double memory_bytes() const override {
    return 8.0 * static_cast<double>(x_.span() + y_.span());
  }

 private:
  Coordinates x_, y_;
  std::function<std::shared_ptr<const TransportCost>()> transpose_;
};

struct Build {
  Coordinates x, y;
  Index n, m;
  Partition rows;
  PointCostOptions options;
  std::string text;

  template <class F>
  std::shared_ptr<const TransportCost> make(const F& f) const {
    Build other = *this;
    std::swap(other.x, other.y);
    std::swap(other.n, other.m);
    other.rows = Partition(m);
    return std::make_shared<PointCost<F>>(f, x, y, rows, m, text,
                                          [other] { return other.by_dimension(); });
  }
  template <int D>
  std::shared_ptr<const TransportCost> by_kind() const {
    const Clouds<D> clouds{x.data(), y.data(), x.stride(0), y.stride(0),
                           static_cast<int>(x.extent(0))};
    if (options.norm == PointNorm::manhattan) return make(ManhattanDistance<D>{clouds});
    const SquaredDistance<D> square{clouds};
    if (options.power == 2.0) return make(square);
    if (options.power == 1.0) return make(Distance<D>{square});
    return make(PowerDistance<D>{square, options.power});
  }
  std::shared_ptr<const TransportCost> by_dimension() const {
    switch (x.extent(0)) {
      case 2: return by_kind<2>();
      case 3: return by_kind<3>();
      default: return by_kind<0>();
    }
  }
};

using HostPoints = Kokkos::View<double**, Kokkos::LayoutRight, Kokkos::HostSpace>;

HostPoints on_host(const DenseBlock& points, const char* name) {
  const HostPoints host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), points);
  for (std::size_t i = 0; i < host.extent(0); ++i)
    for (std::size_t d = 0; d < host.extent(1); ++d)
      if (!std::isfinite(host(i, d)))
        throw DataError("coordinate " + std::to_string(d) + " of point " + std::to_string(i) +
                        " of " + name + " is not finite");
  return host;
}

/// (p - center) * factor, coordinate by coordinate, zero beyond the last point.
Coordinates by_coordinate(const HostPoints& points, const std::vector<double>& center,
                          double factor) {
  const auto count = static_cast<Index>(points.extent(0));
  const Coordinates to("transport::points", points.extent(1),
                       static_cast<std::size_t>(detail::padded(count)));
  const auto host = Kokkos::create_mirror_view(to);
  for (std::size_t d = 0; d < points.extent(1); ++d)
    for (std::size_t i = 0; i < points.extent(0); ++i)
      host(d, i) = (points(i, d) - center[d]) * factor;
  Kokkos::deep_copy(to, host);
  return to;
}

}  // namespace

std::shared_ptr<const TransportCost> make_point_cost(const DenseBlock& x, const DenseBlock& y,
                                                     const PointCostOptions& options,
                                                     const Partition& rows) {
  const bool manhattan = options.norm == PointNorm::manhattan;
  HostPoints px, py;
  together(rows.communicator(), [&] {
    if (x.extent(1) != y.extent(1) || x.extent(1) == 0)
      throw ShapeError("points x have " + std::to_string(x.extent(1)) + " coordinates, points y " +
                       std::to_string(y.extent(1)) + "; both need the same number, at least one");
    if (static_cast<GlobalIndex>(x.extent(0)) != rows.local_size())
      throw ShapeError(std::to_string(x.extent(0)) + " points x were given for " +
                       std::to_string(rows.local_size()) + " rows of this rank");
    if (!(options.power > 0.0) || !(options.scale > 0.0) || (manhattan && options.power != 1.0))
      throw InputError({}, "power",
                       "the cost |x - y|^p needs p > 0 and a scale > 0, with the Manhattan norm p = 1; "
                       "p is " + format_number(options.power) + ", the scale " +
                           format_number(options.scale));
    px = on_host(x, "x");
    py = on_host(y, "y");
  });
  std::vector<double> center(x.extent(1), 0.0);
  for (std::size_t j = 0; j < py.extent(0); ++j)
    for (std::size_t d = 0; d < center.size(); ++d)
      center[d] += py(j, d) / static_cast<double>(py.extent(0));
  // |c x - c y|^p = c^p |x - y|^p.
  const double factor = std::pow(options.scale, 1.0 / options.power);
  Build build{.x = by_coordinate(px, center, factor),
              .y = by_coordinate(py, center, factor),
              .n = static_cast<Index>(x.extent(0)),
              .m = static_cast<Index>(y.extent(0)),
              .rows = rows,
              .options = options,
              .text = "|x - y|" + std::string(manhattan ? "_1" : "") +
                      (options.power == 1.0 ? "" : "^" + format_number(options.power)) + " in " +
                      std::to_string(x.extent(1)) + "D"};
  return build.by_dimension();
}

}  // namespace libsolve
