#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/linear/linear_solver.hpp>
#include <libsolve/linear/preconditioner.hpp>
#include <libsolve/plugin/registry.hpp>
#include <tests/support/dense_operator.hpp>
#include <tests/support/monitors.hpp>
#include <tests/support/random_problems.hpp>

extern "C" void libsolve_plugin_register(libsolve::Registrar& registrar);

namespace krylov_test {

using namespace libsolve;

struct TestPreconditionerOptions {
  std::string kind = "diagonal";
  static void describe(Fields<TestPreconditionerOptions>& f) {
    f.add("kind", &TestPreconditionerOptions::kind,
          Choices{{"diagonal", "inverse", "varying", "indefinite", "unsymmetric", "nan",
                   "breaks-down"}},
          "what it does");
  }
};

/// Preconditioners with known faults, for dense matrices. "diagonal": z_i = r_i / a_ii; "inverse":
/// A^-1 by elimination; "varying": the diagonal one scaled by 1, 2, 3, 1, ... from call to call;
/// "indefinite": z_0 = -r_0; "unsymmetric": z_i = r_i + r_{i+1} / 2; "nan": NaN in entry 0.
class TestPreconditioner final : public Preconditioner {
 public:
  using Options = TestPreconditionerOptions;
  TestPreconditioner(const Options& options, const Context&) : kind_(options.kind) {}

  void setup(const LinearSystem& system) override {
    if (kind_ == "breaks-down") throw NumericalError("zero pivot in row 3; add a shift");
    A_ = dynamic_cast<const test::DenseOperator*>(&system.A());
    ++num_setups;
  }
  void apply(const Vector& r, const Vector& z) override {
    std::vector<double> v = test::to_host(r);
    const std::vector<double> old = v;
    const auto n = static_cast<Index>(v.size());
    if (kind_ == "inverse") {
      v = solve(v);
    } else if (kind_ == "indefinite") {
      v[0] = -v[0];
    } else if (kind_ == "unsymmetric") {
      for (Index i = 0; i + 1 < n; ++i) v[i] += 0.5 * old[i + 1];
    } else if (kind_ == "nan") {
      v[0] = std::nan("");
    } else {
      const double scale = kind_ == "varying" ? 1.0 + num_calls_ % 3 : 1.0;
      for (Index i = 0; i < n; ++i) v[i] *= scale / (*A_)(i, i);
    }
    ++num_calls_;
    test::assign(z, v);
  }
  bool is_linear() const override { return kind_ != "varying"; }
  bool is_symmetric() const override { return kind_ != "unsymmetric"; }
  double memory_bytes() const override { return 1000.0; }
  std::vector<Measure> metrics() const override { return {{"levels", 3.0, ""}}; }
  std::vector<std::string> notes() const override { return {"a note of the preconditioner"}; }

  static inline int num_setups = 0;

 private:
  /// Gaussian elimination with partial pivoting.
  std::vector<double> solve(std::vector<double> b) const {
    const auto n = static_cast<Index>(b.size());
    test::DenseOperator a = *A_;
    for (Index k = 0; k < n; ++k) {
      Index pivot = k;
      for (Index i = k + 1; i < n; ++i)
        if (std::abs(a(i, k)) > std::abs(a(pivot, k))) pivot = i;
      for (Index j = 0; j < n; ++j) std::swap(a(k, j), a(pivot, j));
      std::swap(b[k], b[pivot]);
      for (Index i = k + 1; i < n; ++i) {
        const double f = a(i, k) / a(k, k);
        for (Index j = k; j < n; ++j) a(i, j) -= f * a(k, j);
        b[i] -= f * b[k];
      }
    }
    for (Index k = n - 1; k >= 0; --k) {
      for (Index j = k + 1; j < n; ++j) b[k] -= a(k, j) * b[j];
      b[k] /= a(k, k);
    }
    return b;
  }
  std::string kind_;
  const test::DenseOperator* A_ = nullptr;
  int num_calls_ = 0;
};

/// The plugin's methods and the preconditioner "test".
inline const Registry& registry() {
  static const Registry* instance = [] {
    auto* r = new Registry;
    Registrar registrar(*r, "", "");
    libsolve_plugin_register(registrar);
    registrar.add<TestPreconditioner>({.name = "test", .summary = "for tests"});
    return r;
  }();
  return *instance;
}

/// A method by name with options as in a case file.
inline std::unique_ptr<LinearSolver> make(const std::string& name, const Value& options = {}) {
  Context context;
  context.registry = &registry();
  ComponentSpec spec(name);
  spec.options = options;
  return context.make<LinearSolver>(spec);
}

/// { preconditioner = { name = "test", kind = kind } }
inline Value with_preconditioner(const std::string& kind, Value options = {}) {
  Value M;
  M.set("name", "test");
  M.set("kind", kind);
  options.set("preconditioner", M);
  return options;
}

inline Value option(const std::string& key, Value value, Value options = {}) {
  options.set(key, std::move(value));
  return options;
}

inline const test::DenseOperator& dense(const LinearSystem& system) {
  return dynamic_cast<const test::DenseOperator&>(system.A());
}

/// ||b - A x|| / ||b||, computed here and not by the method.
inline double true_relative_residual(const LinearSystem& system) {
  const std::vector<double> b = test::to_host(system.b());
  return test::norm(test::residual(dense(system), b, test::to_host(system.x()))) / test::norm(b);
}

/// ||x - x_true|| / ||x_true||.
inline double relative_error(const LinearSystem& system) {
  std::vector<double> e = test::to_host(system.x());
  const std::vector<double> exact = test::to_host(*system.exact_solution);
  for (std::size_t i = 0; i < e.size(); ++i) e[i] -= exact[i];
  return test::norm(e) / test::norm(exact);
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace krylov_test
