#include "trainer.hpp"

#include <chrono>
#include <cmath>
#include <libsolve/learn/network_weights.hpp>
#include <libsolve/linear/linear_system.hpp>

#include "engine.hpp"

namespace dcdm {

namespace {

/// Right sides, tolerance and limit of the count that judges the weights.
constexpr int judged_systems = 5;
constexpr double judged_tolerance = 1e-6;
constexpr int judged_limit = 500;

const StencilOperator& grid_operator(const Problem& problem) {
  const auto* system = dynamic_cast<const LinearSystem*>(&problem);
  const auto* A = system == nullptr ? nullptr : dynamic_cast<const StencilOperator*>(&system->A());
  if (A == nullptr)
    throw Unsupported("the trainer 'dcdm' needs a matrix-free operator on a structured grid, got " +
                      problem.description() +
                      "; use the source poisson with storage = \"matrix-free\"");
  return *A;
}

std::array<int, 3> cells_of(const Grid& g) {
  return {g.cells[0], g.cells[1], g.cells[2]};
}

}  // namespace

ComponentSpec default_training_problem() {
  ComponentSpec spec("poisson");
  spec.options.set("size", Value::Array{16, 16, 16});
  spec.options.set("centering", "vertex");
  return spec;
}

DcdmTrainer::DcdmTrainer(const Options& options, const Context& context)
    : options_(options),
      seed_(context.seed),
      problem_(context.make<ProblemSource>(options.problem)->create()),
      problem_text_(problem_->description()),
      grid_(grid_operator(*problem_).grid()),
      A_(std::make_unique<HostOperator>(grid_operator(*problem_))),
      network_(learn::initial_network(make_plan(options.network, grid_.dimension), context.seed)),
      adam_(options.adam, network_.parameters.size()) {
  if (options.data.data == "own-residuals")
    pool_ = std::make_unique<ResidualPool>(*A_, cells_of(grid_), seed_);
  else
    right_sides_ = RightSides::make(options.data, *A_, cells_of(grid_), seed_);
  if (options.network.normalisation == "rms")
    input_norm_ = std::sqrt(static_cast<double>(A_->num_open()));
  for (int i = 0; i < options.batch; ++i) {
    Sample s;
    s.pass = std::make_unique<learn::TrainingPass<float>>(network_.plan, cells_of(grid_));
    s.gradient.resize(network_.parameters.size());
    for (auto* v : {&s.b, &s.q, &s.Aq, &s.rho, &s.Arho}) v->resize(A_->size());
    batch_.push_back(std::move(s));
  }
}

std::string DcdmTrainer::description() const {
  return options_.network.network + " network of " + std::to_string(network_.parameters.size()) +
         " parameters for " + problem_text_ + ", " + std::to_string(options_.adam.steps) +
         " steps of " + std::to_string(options_.batch) + " right sides (" + options_.data.data +
         ")";
}

void DcdmTrainer::put_right_side(std::size_t i) {
  const std::uint64_t number =
      static_cast<std::uint64_t>(step_) * batch_.size() + static_cast<std::uint64_t>(i);
  if (pool_) {
    batch_[i].b = pool_->residual(static_cast<int>(number % ResidualPool::num_entries));
  } else {
    const RandomStream choices(seed_, "dcdm::batches");
    const auto samples = static_cast<double>(options_.data.samples);
    right_sides_->sample(static_cast<std::uint64_t>(choices.uniform(number, 0.0, samples)),
                         batch_[i].b);
  }
}

void DcdmTrainer::evaluate(Sample& s) const {
  const learn::PaddedGrid& g = s.pass->grid();
  std::size_t c = 0;
  for (int k = 0; k < g.cells[2]; ++k)
    for (int j = 0; j < g.cells[1]; ++j)
      for (int i = 0; i < g.cells[0]; ++i, ++c)
        s.pass->input()[g.at(i, j, k)] = static_cast<float>(input_norm_ * s.b[c]);
  const float* const y = s.pass->forward(network_.parameters);
  c = 0;
  for (int k = 0; k < g.cells[2]; ++k)
    for (int j = 0; j < g.cells[1]; ++j)
      for (int i = 0; i < g.cells[0]; ++i, ++c) s.q[c] = A_->open()[c] * y[g.at(i, j, k)];
}

void DcdmTrainer::differentiate(Sample& s) const {
  evaluate(s);
  std::fill(s.gradient.begin(), s.gradient.end(), 0.0f);
  A_->apply(s.q.data(), s.Aq.data());
  const double qAq = dot(s.q, s.Aq);
  s.loss = 1.0;
  if (!(qAq > 0.0)) {  // q = 0 (or no number): nothing to learn from
    if (!std::isfinite(qAq)) s.loss = qAq;
    return;
  }
  // rho = b - alpha A q, loss rho^T rho
  const double alpha = dot(s.q, s.b) / qAq;
  s.rho = s.b;
  add(-alpha, s.Aq, s.rho);
  s.loss = dot(s.rho, s.rho);
  // gradient by q: -2 ((rho^T A q) (b - 2 alpha A q) / q^T A q + alpha A rho)
  A_->apply(s.rho.data(), s.Arho.data());
  const double u = -2.0 * dot(s.rho, s.Aq) / qAq, v = -2.0 * alpha;
  const learn::PaddedGrid& g = s.pass->grid();
  float* const out = s.pass->output_gradient();
  std::size_t c = 0;
  for (int k = 0; k < g.cells[2]; ++k)
    for (int j = 0; j < g.cells[1]; ++j)
      for (int i = 0; i < g.cells[0]; ++i, ++c)
        out[g.at(i, j, k)] = static_cast<float>(
            A_->open()[c] * (u * (s.b[c] - 2.0 * alpha * s.Aq[c]) + v * s.Arho[c]));
  s.pass->backward(network_.parameters, s.gradient);
}

double DcdmTrainer::step() {
  using Host = Kokkos::DefaultHostExecutionSpace;
  const int n = static_cast<int>(batch_.size());
  // Entries of the pool come once in a batch, if the batch is not larger than it.
  const int together = pool_ ? std::min(n, ResidualPool::num_entries) : n;
  for (int first = 0; first < n; first += together) {
    const int last = std::min(n, first + together);
    Kokkos::parallel_for(
        "dcdm::samples", Kokkos::RangePolicy<Host>(Host(), first, last, Kokkos::ChunkSize(1)),
        [this](int i) {
          Sample& s = batch_[size_t(i)];
          put_right_side(size_t(i));
          differentiate(s);
          if (!pool_ || !std::isfinite(s.loss)) return;
          const std::uint64_t number =
              static_cast<std::uint64_t>(step_) * batch_.size() + size_t(i);
          pool_->advance(static_cast<int>(number % ResidualPool::num_entries),
                         static_cast<std::int64_t>(number / ResidualPool::num_entries), s.q, s.Aq);
        });
    Host().fence();
  }
  std::vector<double> gradient(network_.parameters.size(), 0.0);
  double loss = 0.0;
  for (const Sample& s : batch_) {
    loss += s.loss / n;
    for (size_t p = 0; p < gradient.size(); ++p)
      gradient[p] += s.gradient[p] / static_cast<double>(n);
  }
  adam_.step(step_, gradient, network_.parameters);
  ++step_;
  return loss;
}

Report DcdmTrainer::train(Monitor& monitor) {
  Report report;
  double loss = 1.0, smooth = -1.0, first = -1.0;
  const auto stop = [&](Status status) {
    report.status = status;
    report.iterations = step_;
    report.reason = std::to_string(step_) + " of " + std::to_string(options_.adam.steps) +
                    " steps, loss " + format_number(std::round(1e4 * smooth) / 1e4);
    report.measures = {{"loss", smooth, ""}, {"first_loss", first, ""}};
    if (status == Status::converged) {
      const int count = count_iterations();
      std::vector<double> b(A_->size());
      white_noise(*A_, RandomStream(0, "dcdm::judge"), 0, b);
      const int cg = count_cg(*A_, b);
      report.measures.push_back({"iterations_to_1e-6", static_cast<double>(count), ""});
      report.measures.push_back({"cg_iterations_to_1e-6", static_cast<double>(cg), ""});
      report.reason += "; on white noise " + std::to_string(count) +
                       " steps to 1e-6, conjugate gradients need " + std::to_string(cg);
    }
    report.metrics = {
        {"parameters", static_cast<double>(network_.parameters.size()), ""},
        {"network_flops_per_unknown", 2.0 * network_.plan.multiply_adds_per_cell(), ""}};
    return report;
  };
  while (step_ < options_.adam.steps) {
    loss = step();
    smooth = smooth < 0.0 ? loss : 0.98 * smooth + 0.02 * loss;
    if (first < 0.0) first = loss;
    const libsolve::Sample samples[] = {{"loss", loss}, {"learning_rate", adam_.rate(step_ - 1)}};
    const Verdict verdict = monitor.observe(step_, samples);
    if (!std::isfinite(loss)) {
      smooth = loss;
      return stop(Status::non_finite);
    }
    if (verdict == Verdict::interrupted) return stop(Status::interrupted);
    if (verdict == Verdict::time_limit) return stop(Status::time_limit);
  }
  return stop(Status::converged);
}

int DcdmTrainer::count_iterations() {
  Sample& s = batch_[0];
  int worst = 0;
  for (int system = 0; system < judged_systems; ++system) {
    std::vector<double> d[2], Ad[2];
    white_noise(*A_, RandomStream(static_cast<std::uint64_t>(system), "dcdm::judge"), 0, s.b);
    std::vector<double> r = s.b;
    int k = 0;
    for (double reached = 1.0; reached > judged_tolerance && k < judged_limit; ++k) {
      s.b = r;
      evaluate(s);
      for (int m = 0; m < 2; ++m)
        if (!d[m].empty()) add(-dot(s.q, Ad[m]) / dot(d[m], Ad[m]), d[m], s.q);
      A_->apply(s.q.data(), s.Aq.data());
      const double dAd = dot(s.q, s.Aq);
      if (!(dAd > 0.0)) return judged_limit;
      add(-dot(s.q, r) / dAd, s.Aq, r);
      reached *= normalise(r);
      std::swap(d[0], d[1]);
      std::swap(Ad[0], Ad[1]);
      d[1] = s.q;
      Ad[1] = s.Aq;
    }
    worst = std::max(worst, k);
  }
  return worst;
}

int DcdmTrainer::count_cg(const HostOperator& A, const std::vector<double>& b) {
  std::vector<double> r = b, p = b, Ap(A.size());
  double rr = dot(r, r);
  const double target = judged_tolerance * judged_tolerance * rr;
  int k = 0;
  for (; rr > target && k < judged_limit; ++k) {
    A.apply(p.data(), Ap.data());
    add(-rr / dot(p, Ap), Ap, r);
    const double next = dot(r, r);
    for (size_t c = 0; c < p.size(); ++c) p[c] = r[c] + next / rr * p[c];
    rr = next;
  }
  return k;
}

Weights DcdmTrainer::weights() const {
  Weights w;
  w.network = network_kind;
  w.options = options_to_value(options_.network);
  w.arrays = learn::to_arrays(network_);
  w.trained_on = {operator_kind, grid_.dimension, {}, problem_text_};
  for (int a = 0; a < grid_.dimension; ++a) w.trained_on.cells.push_back(grid_.cells[a]);
  return w;
}

TrainingState DcdmTrainer::state() const {
  TrainingState s;
  s.step = step_;
  s.arrays = learn::to_arrays(network_);
  for (auto& part : {adam_.state(), pool_ ? pool_->state() : std::vector<NamedArray>{}})
    s.arrays.insert(s.arrays.end(), part.begin(), part.end());
  return s;
}

void DcdmTrainer::resume(const TrainingState& state) {
  Weights arrays;
  arrays.arrays = state.arrays;
  arrays.file = state.file;
  network_ = learn::from_arrays(network_.plan, arrays);
  adam_.resume(arrays);
  if (pool_) pool_->resume(arrays);
  step_ = state.step;
}

}  // namespace dcdm
