#include "engine.hpp"

#include <cmath>
#include <libsolve/io/weights_file.hpp>
#include <libsolve/learn/network_weights.hpp>
#include <libsolve/linear/operator_forms.hpp>

namespace dcdm {

namespace {

struct CountOpen {
  const unsigned char* solid;
  KOKKOS_INLINE_FUNCTION void operator()(Index c, std::int64_t& open) const {
    open += solid[c] == 0 ? 1 : 0;
  }
};

std::int64_t count_open(const Kokkos::View<const unsigned char*, MemSpace>& solid) {
  std::int64_t open = 0;
  Kokkos::parallel_reduce("dcdm::count_open",
                          Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<Index>>(
                              0, static_cast<Index>(solid.extent(0))),
                          CountOpen{solid.data()}, open);
  return open;
}

std::shared_ptr<const StencilOperator> grid_operator(const LinearSystem& system,
                                                     const std::string& method) {
  const LinearOperator& A = system.A();
  const std::string found = A.description() + " (" + std::to_string(A.num_rows()) + " x " +
                            std::to_string(A.num_columns()) + ")";
  const auto stencil = stencil_for(system.shared_A());
  if (stencil == nullptr)
    throw Unsupported("'" + method +
                      "' needs a matrix-free operator on a structured grid, for its "
                      "network is one of grids; got " +
                      found + "; use storage = \"matrix-free\" in the problem source, or cg");
  if (system.b().communicator().size() > 1)
    throw Unsupported(
        "'" + method + "' runs on one rank (threads share the work), and this job has " +
        std::to_string(system.b().communicator().size()) + "; use multigrid inside cg over ranks");
  if (stencil->grid().dimension == 1)
    throw Unsupported(
        "'" + method +
        "' has learned nothing in 1D, where conjugate gradients end after "
        "as many steps as there are cells in a row and a direct solve costs less; use "
        "eigen-ldlt or cg");
  return stencil;
}

}  // namespace

Engine::Engine(std::string weights, const Context& context)
    : weights_(std::move(weights)), base_folder_(context.base_folder) {}

void Engine::prepare(const LinearSystem& system, const std::string& method) {
  const std::shared_ptr<const StencilOperator> stencil = grid_operator(system, method);
  const StencilOperator& A = *stencil;
  const Grid& grid = A.grid();
  const std::string name =
      weights_ == "auto" ? "dcdm-" + std::to_string(grid.dimension) + "d" : weights_;
  file_ = find_weights(name, base_folder_);
  const Weights weights = read_weights(file_);
  require_network(weights, network_kind);
  require_operator(weights, operator_kind, grid.dimension);
  Diagnostics problems;
  const auto options = parse_options<NetworkOptions>(weights.options, "weights.options.",
                                                     "networks of 'dcdm'", problems);
  problems.throw_if_any();
  const learn::Network<float> network =
      learn::from_arrays(make_plan(options, grid.dimension), weights);
  is_linear_ = network.plan.is_linear();
  num_parameters_ = static_cast<double>(network.parameters.size());
  net_ = learn::Inference(network, {grid.cells[0], grid.cells[1], grid.cells[2]});

  std::int64_t open = grid.num_cells();
  solid_ = {};
  if (!A.is_constant() && A.variable().solid.extent(0) > 0) {
    solid_ = A.variable().solid;
    open = count_open(solid_);
  }
  norm_of_input_ = options.normalisation == "rms" ? std::sqrt(static_cast<double>(open)) : 1.0;
}

void Engine::apply(const Vector& r, double r_norm, const Vector& q) {
  net_.set_input(r.view(), norm_of_input_ / r_norm);
  net_.apply();
  net_.get_output(solid_, q.view());
}

std::vector<Measure> Engine::metrics() const {
  return {{"network_parameters", num_parameters_, ""},
          {"network_flops_per_unknown", net_.flops_per_cell(), ""},
          {"network_memory_bytes", net_.memory_bytes(), "B"}};
}

}  // namespace dcdm
