#include <algorithm>
#include <libsolve/core/large_array.hpp>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/learn/convolution.hpp>
#include <libsolve/learn/detail/device_layers.hpp>
#include <libsolve/learn/detail/resampling.hpp>
#include <libsolve/learn/inference.hpp>

namespace libsolve::learn {

namespace {

constexpr bool on_host = runs_on_host<ExecSpace>;

/// body(begin, end) over planes, a contiguous share for each thread.
template <class Exec, class Body>
void share_planes(int planes, const Body& body) {
  const int shares = std::min(planes, concurrency_of(default_space<Exec>()));
  if (shares == 1) return body(0, planes);
  Kokkos::parallel_for(
      kernel_label("learn::layer"),
      Kokkos::RangePolicy<Exec>(default_space<Exec>(), 0, shares, Kokkos::ChunkSize(1)),
      [&body, planes, shares](int s) { body(planes * s / shares, planes * (s + 1) / shares); });
}

/// Row n = j + rows * k of the input on the host.
struct InputRow {
  PaddedGrid grid;
  const double* r;
  double factor;
  float* x;
  void operator()(int n) const {
    const int j = n % grid.cells[1], k = n / grid.cells[1];
    const double* const from = r + std::ptrdiff_t{n} * grid.cells[0];
    float* const to = x + grid.at(0, j, k);
    const int cells = grid.cells[0];
#pragma omp simd
    for (int i = 0; i < cells; ++i) to[i] = static_cast<float>(factor * from[i]);
  }
};

struct OutputRow {
  PaddedGrid grid;
  const float* y;
  const unsigned char* closed;  ///< or null
  double* q;
  void operator()(int n) const {
    const int j = n % grid.cells[1], k = n / grid.cells[1];
    const std::ptrdiff_t first = std::ptrdiff_t{n} * grid.cells[0];
    const float* const from = y + grid.at(0, j, k);
    const int cells = grid.cells[0];
#pragma omp simd
    for (int i = 0; i < cells; ++i) q[first + i] = from[i];
    if (closed == nullptr) return;
    for (int i = 0; i < cells; ++i)
      if (closed[first + i] != 0) q[first + i] = 0.0;
  }
};

struct InputCell {
  PaddedGrid grid;
  const double* r;
  double factor;
  float* x;
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t n) const {
    const detail::CellOf c(grid, n);
    x[grid.at(c.at[0], c.at[1], c.at[2])] = static_cast<float>(factor * r[n]);
  }
};

struct OutputCell {
  PaddedGrid grid;
  const float* y;
  const unsigned char* closed;  ///< or null
  double* q;
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t n) const {
    const detail::CellOf c(grid, n);
    q[n] = closed != nullptr && closed[n] != 0 ? 0.0 : y[grid.at(c.at[0], c.at[1], c.at[2])];
  }
};

/// Rows on the host, cells on devices.
template <class Exec, class Row, class Cell>
void for_rows_or_cells(const PaddedGrid& g, const Row& row, const Cell& cell) {
  if constexpr (runs_on_host<Exec>) {
    const int rows = g.cells[1];
    share_planes<Exec>(g.cells[2], [&row, rows](int begin, int end) {
      for (int n = begin * rows; n < end * rows; ++n) row(n);
    });
  } else {
    Kokkos::parallel_for("learn::cells", range_policy<Exec>(std::ptrdiff_t(g.num_cells())), cell);
  }
}

/// One layer as its operands.
struct Operands {
  Layer::Kind kind;
  PaddedGrid from, to;
  int inputs, channels, width;
  bool has_relu;
  const float* x;
  const float* weights;
  const float* biases;
  const float* s;
  float* y;
};

template <class Exec>
void run_on(const Operands& o) {
  if constexpr (runs_on_host<Exec>) {
    share_planes<Exec>(o.to.cells[2], [&o](int begin, int end) {
      if (o.kind == Layer::Kind::convolution) {
        detail::Convolution<float> a;
        a.grid = o.to;
        a.inputs = o.inputs;
        a.outputs = o.channels;
        a.width = o.width;
        a.x = o.x;
        a.weights = o.weights;
        a.biases = o.biases;
        a.s = o.s;
        a.y = o.y;
        a.has_relu = o.has_relu;
        return detail::convolve(a, begin, end);
      }
      for (int c = 0; c < o.channels; ++c) {
        const float* const x = o.x + c * o.from.channel();
        float* const y = o.y + c * o.to.channel();
        if (o.kind == Layer::Kind::pool)
          detail::pool(o.from, o.to, x, y, begin, end);
        else
          detail::upsample(o.to, o.from, x, o.s != nullptr ? o.s + c * o.to.channel() : nullptr, y,
                           begin, end);
      }
    });
  } else {
    const std::ptrdiff_t cells = static_cast<std::ptrdiff_t>(o.to.num_cells());
    const auto policy = range_policy<Exec>(cells * o.channels);
    if (o.kind == Layer::Kind::convolution)
      Kokkos::parallel_for("learn::convolve", policy,
                           detail::ConvolveCell{o.to, o.inputs, o.width, cells, o.has_relu, o.x,
                                                o.weights, o.biases, o.s, o.y});
    else if (o.kind == Layer::Kind::pool)
      Kokkos::parallel_for("learn::pool", policy, detail::PoolCell{o.from, o.to, cells, o.x, o.y});
    else
      Kokkos::parallel_for("learn::upsample", policy,
                           detail::UpsampleCell{o.to, o.from, cells, o.x, o.s, o.y});
  }
}

Inference::FloatView to_device(const char* label, const std::vector<float>& values) {
  const Inference::FloatView view = zero_array<float>(label, values.size());
  const auto host = Kokkos::create_mirror_view(view);
  std::copy(values.begin(), values.end(), host.data());
  Kokkos::deep_copy(view, host);
  return view;
}

}  // namespace

Inference::Inference(const Network<float>& network, std::array<int, 3> cells) {
  const Network<float> joined = fused(network);
  plan_ = joined.plan;
  grids_ = plan_.grids(cells);
  std::vector<float> weights, biases;
  for (int l = 0; l < static_cast<int>(plan_.layers.size()); ++l) {
    const Layer& layer = plan_.layers[size_t(l)];
    first_weight_.push_back(weights.size());
    first_bias_.push_back(biases.size());
    const size_t count = plan_.num_weights(l);
    if (count == 0) continue;
    const float* const w = joined.parameters.data() + plan_.first_parameter(l);
    weights.resize(weights.size() + count);
    float* const to = weights.data() + first_weight_.back();
    const auto extent = [&](int axis) { return grids_[0].pad[axis] != 0 ? layer.width : 1; };
    if (on_host)
      detail::pack_weights(w, plan_.channels_of(layer.input), layer.channels, extent(2), extent(1),
                           extent(0), false, to);
    else
      std::copy(w, w + count, to);
    if (layer.has_bias) biases.insert(biases.end(), w + count, w + count + layer.channels);
  }
  weights_ = to_device("learn::weights", weights);
  biases_ = to_device("learn::biases", biases);
  share_out_buffers();
}

void Inference::share_out_buffers() {
  const int tensors = static_cast<int>(plan_.layers.size()) + 1;
  std::vector<int> last_reader(static_cast<size_t>(tensors), 0);
  for (int l = 0; l + 1 < tensors; ++l) {
    const Layer& layer = plan_.layers[size_t(l)];
    last_reader[size_t(layer.input)] = l;
    if (layer.skip >= 0) last_reader[size_t(layer.skip)] = l;
  }
  last_reader[size_t(tensors - 1)] = tensors;  // the output stays
  struct Slot {
    int level, channels, free_after;
  };
  std::vector<Slot> slots;
  for (int t = 0; t < tensors; ++t) {
    const int made_by = t - 1;
    // Same level: what lies between the rows stays 0.
    const auto found = std::find_if(slots.begin(), slots.end(), [&](const Slot& s) {
      return s.level == plan_.level_of(t) && s.channels >= plan_.channels_of(t) &&
             s.free_after < made_by;
    });
    const int until = std::max(last_reader[size_t(t)], made_by);
    slot_.push_back(static_cast<int>(found - slots.begin()));
    if (found == slots.end())
      slots.push_back({plan_.level_of(t), plan_.channels_of(t), until});
    else
      found->free_after = until;
  }
  for (const Slot& s : slots)
    buffers_.push_back(zero_array<float>(
        "learn::tensor", size_t(s.channels) * size_t(grids_[size_t(s.level)].channel())));
}

void Inference::set_input(const VectorView& r, double factor) {
  for_rows_or_cells<ExecSpace>(grids_[0], InputRow{grids_[0], r.data(), factor, tensor(0)},
                               InputCell{grids_[0], r.data(), factor, tensor(0)});
}

void Inference::get_output(const Kokkos::View<const unsigned char*, MemSpace>& closed,
                           const VectorView& q) {
  const unsigned char* const mask = closed.extent(0) > 0 ? closed.data() : nullptr;
  const float* const y = tensor(static_cast<int>(plan_.layers.size()));
  for_rows_or_cells<ExecSpace>(grids_[0], OutputRow{grids_[0], y, mask, q.data()},
                               OutputCell{grids_[0], y, mask, q.data()});
}

void Inference::run_layer(int l) const {
  const Layer& layer = plan_.layers[size_t(l)];
  Operands o;
  o.kind = layer.kind;
  o.from = grid_of(layer.input);
  o.to = grid_of(l + 1);
  o.inputs = plan_.channels_of(layer.input);
  o.channels = layer.channels;
  o.width = layer.width;
  o.has_relu = layer.has_relu;
  o.x = tensor(layer.input);
  o.weights = weights_.data() + first_weight_[size_t(l)];
  o.biases = layer.has_bias ? biases_.data() + first_bias_[size_t(l)] : nullptr;
  o.s = layer.skip >= 0 ? tensor(layer.skip) : nullptr;
  o.y = tensor(l + 1);
  run_on<ExecSpace>(o);
}

void Inference::apply() {
  for (int l = 0; l < static_cast<int>(plan_.layers.size()); ++l) run_layer(l);
}

double Inference::memory_bytes() const {
  double floats = static_cast<double>(weights_.extent(0)) + static_cast<double>(biases_.extent(0));
  for (const FloatView& b : buffers_) floats += static_cast<double>(b.extent(0));
  return 4.0 * floats;
}

}  // namespace libsolve::learn
