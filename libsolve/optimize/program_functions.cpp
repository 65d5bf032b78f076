#include <libsolve/core/errors.hpp>
#include <libsolve/optimize/program_functions.hpp>

namespace libsolve {

namespace {

constexpr bool host_can_read = Kokkos::SpaceAccessibility<Kokkos::HostSpace, MemSpace>::accessible;

/// An array of the host as a view in MemSpace: the same memory where kernels run on the host.
class InputView {
 public:
  explicit InputView(std::span<const double> values) {
    if constexpr (host_can_read) {
      view_ = ConstVectorView(values.data(), values.size());
    } else {
      const VectorView copy(Kokkos::view_alloc("optimize::input", Kokkos::WithoutInitializing),
                            values.size());
      Kokkos::deep_copy(
          copy, Kokkos::View<const double*, Kokkos::HostSpace>(values.data(), values.size()));
      view_ = copy;
    }
  }
  operator const ConstVectorView&() const { return view_; }

 private:
  ConstVectorView view_;
};

class OutputView {
 public:
  explicit OutputView(std::span<double> values) : values_(values) {
    if constexpr (host_can_read)
      view_ = VectorView(values.data(), values.size());
    else
      view_ = VectorView(Kokkos::view_alloc("optimize::output", Kokkos::WithoutInitializing),
                         values.size());
  }
  ~OutputView() {
    if constexpr (!host_can_read)
      Kokkos::deep_copy(Kokkos::View<double*, Kokkos::HostSpace>(values_.data(), values_.size()),
                        view_);
  }
  OutputView(const OutputView&) = delete;
  OutputView& operator=(const OutputView&) = delete;
  operator const VectorView&() const { return view_; }

 private:
  std::span<double> values_;
  VectorView view_;
};

/// A view in MemSpace as an array of the host.
class InputSpan {
 public:
  explicit InputSpan(const ConstVectorView& view)
      : copy_(Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), view)) {}
  operator std::span<const double>() const { return {copy_.data(), copy_.extent(0)}; }

 private:
  decltype(Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), ConstVectorView())) copy_;
};

class OutputSpan {
 public:
  explicit OutputSpan(const VectorView& view)
      : view_(view), copy_(Kokkos::create_mirror_view(Kokkos::HostSpace(), view)) {}
  ~OutputSpan() { Kokkos::deep_copy(view_, copy_); }
  OutputSpan(const OutputSpan&) = delete;
  OutputSpan& operator=(const OutputSpan&) = delete;
  operator std::span<double>() const { return {copy_.data(), copy_.extent(0)}; }

 private:
  VectorView view_;
  decltype(Kokkos::create_mirror_view(Kokkos::HostSpace(), VectorView())) copy_;
};

/// y = A v or A^T v for the triplets of A.
void multiply(std::span<const Index> rows, std::span<const Index> columns,
              const ConstVectorView& values, const ConstVectorView& v, const VectorView& y,
              bool and_transposed) {
  const InputSpan values_span(values), v_span(v);
  const std::span<const double> a = values_span, x = v_span;
  const OutputSpan y_span(y);
  const std::span<double> out = y_span;
  for (double& o : out) o = 0.0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    const auto i = static_cast<std::size_t>(rows[k]);
    const auto j = static_cast<std::size_t>(columns[k]);
    out[i] += a[k] * x[j];
    if (and_transposed && i != j) out[j] += a[k] * x[i];
  }
}

}  // namespace

ProgramFunctions::~ProgramFunctions() = default;
Communicator ProgramFunctions::communicator() const {
  return Communicator::self();
}
std::shared_ptr<const InnerProduct> ProgramFunctions::variable_product() const {
  return nullptr;
}
std::shared_ptr<const InnerProduct> ProgramFunctions::constraint_product() const {
  return nullptr;
}
std::vector<Field> ProgramFunctions::fields(const ConstVectorView&, const ConstVectorView&) const {
  return {};
}
std::vector<Field> ProgramFunctions::data_fields() const {
  return {};
}
std::vector<std::string> ProgramFunctions::variable_names() const {
  return {};
}
std::vector<std::string> ProgramFunctions::constraint_names() const {
  return {};
}
bool ProgramFunctions::is_linear(Index) const {
  return false;
}

const SparsePattern& ProgramFunctions::jacobian_pattern() const {
  throw Unsupported("this program offers products with its Jacobian, not its entries");
}
const SparsePattern& ProgramFunctions::hessian_pattern() const {
  throw Unsupported("this program offers products with its Hessian, not its entries");
}

double ProgramFunctions::objective(const ConstVectorView& x) {
  ++counts_.objective;
  return do_objective(x);
}
void ProgramFunctions::gradient(const ConstVectorView& x, const VectorView& g) {
  ++counts_.gradient;
  do_gradient(x, g);
}
void ProgramFunctions::constraints(const ConstVectorView& x, const VectorView& c) {
  ++counts_.constraints;
  if (c.extent(0) > 0) do_constraints(x, c);
}
void ProgramFunctions::jacobian(const ConstVectorView& x, const VectorView& values) {
  ++counts_.jacobian;
  if (values.extent(0) > 0) do_jacobian(x, values);
}
void ProgramFunctions::hessian(const ConstVectorView& x, double sigma,
                               const ConstVectorView& lambda, const VectorView& values) {
  ++counts_.hessian;
  if (values.extent(0) > 0) do_hessian(x, sigma, lambda, values);
}
void ProgramFunctions::apply_jacobian(const ConstVectorView& x, const ConstVectorView& v,
                                      const VectorView& y) {
  ++counts_.products;
  do_apply_jacobian(x, v, y);
}
void ProgramFunctions::apply_jacobian_adjoint(const ConstVectorView& x, const ConstVectorView& w,
                                              const VectorView& y) {
  ++counts_.products;
  do_apply_jacobian_adjoint(x, w, y);
}
void ProgramFunctions::apply_hessian(const ConstVectorView& x, double sigma,
                                     const ConstVectorView& lambda, const ConstVectorView& v,
                                     const VectorView& y) {
  ++counts_.products;
  do_apply_hessian(x, sigma, lambda, v, y);
}

void ProgramFunctions::do_jacobian(const ConstVectorView&, const VectorView&) {
  (void)jacobian_pattern();
}
void ProgramFunctions::do_hessian(const ConstVectorView&, double, const ConstVectorView&,
                                  const VectorView&) {
  (void)hessian_pattern();
}
void ProgramFunctions::do_apply_jacobian(const ConstVectorView& x, const ConstVectorView& v,
                                         const VectorView& y) {
  const SparsePattern& p = jacobian_pattern();
  const VectorView values("optimize::jacobian", p.size());
  do_jacobian(x, values);
  multiply(p.rows, p.columns, values, v, y, false);
}
void ProgramFunctions::do_apply_jacobian_adjoint(const ConstVectorView& x, const ConstVectorView& w,
                                                 const VectorView& y) {
  const SparsePattern& p = jacobian_pattern();
  const VectorView values("optimize::jacobian", p.size());
  do_jacobian(x, values);
  multiply(p.columns, p.rows, values, w, y, false);
}
void ProgramFunctions::do_apply_hessian(const ConstVectorView& x, double sigma,
                                        const ConstVectorView& lambda, const ConstVectorView& v,
                                        const VectorView& y) {
  const SparsePattern& p = hessian_pattern();
  const VectorView values("optimize::hessian", p.size());
  do_hessian(x, sigma, lambda, values);
  multiply(p.rows, p.columns, values, v, y, true);
}

HostProgramFunctions::~HostProgramFunctions() = default;

double HostProgramFunctions::do_objective(const ConstVectorView& x) {
  return host_objective(InputSpan(x));
}
void HostProgramFunctions::do_gradient(const ConstVectorView& x, const VectorView& g) {
  host_gradient(InputSpan(x), OutputSpan(g));
}
void HostProgramFunctions::do_constraints(const ConstVectorView& x, const VectorView& c) {
  host_constraints(InputSpan(x), OutputSpan(c));
}
void HostProgramFunctions::do_jacobian(const ConstVectorView& x, const VectorView& values) {
  host_jacobian(InputSpan(x), OutputSpan(values));
}
void HostProgramFunctions::do_hessian(const ConstVectorView& x, double sigma,
                                      const ConstVectorView& lambda, const VectorView& values) {
  host_hessian(InputSpan(x), sigma, InputSpan(lambda), OutputSpan(values));
}

double HostAccess::objective(std::span<const double> x) const {
  return functions_->objective(InputView(x));
}
void HostAccess::gradient(std::span<const double> x, std::span<double> g) const {
  functions_->gradient(InputView(x), OutputView(g));
}
void HostAccess::constraints(std::span<const double> x, std::span<double> c) const {
  functions_->constraints(InputView(x), OutputView(c));
}
void HostAccess::jacobian(std::span<const double> x, std::span<double> values) const {
  functions_->jacobian(InputView(x), OutputView(values));
}
void HostAccess::hessian(std::span<const double> x, double sigma, std::span<const double> lambda,
                         std::span<double> values) const {
  functions_->hessian(InputView(x), sigma, InputView(lambda), OutputView(values));
}
void HostAccess::apply_jacobian(std::span<const double> x, std::span<const double> v,
                                std::span<double> y) const {
  functions_->apply_jacobian(InputView(x), InputView(v), OutputView(y));
}
void HostAccess::apply_jacobian_adjoint(std::span<const double> x, std::span<const double> w,
                                        std::span<double> y) const {
  functions_->apply_jacobian_adjoint(InputView(x), InputView(w), OutputView(y));
}
void HostAccess::apply_hessian(std::span<const double> x, double sigma,
                               std::span<const double> lambda, std::span<const double> v,
                               std::span<double> y) const {
  functions_->apply_hessian(InputView(x), sigma, InputView(lambda), InputView(v), OutputView(y));
}

}  // namespace libsolve
