#include "nl_source.hpp"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <libsolve/core/errors.hpp>
#include <libsolve/optimize/nonlinear_program.hpp>
#include <limits>

#include "asl_model.hpp"
#include "nl_text.hpp"

namespace nl {

namespace {

/// The lines of PROBLEM.col or PROBLEM.row, none where there is no such file.
std::vector<std::string> names_beside(const std::string& path, const char* extension, int count) {
  std::ifstream file(std::filesystem::path(path).replace_extension(extension));
  std::vector<std::string> names;
  std::string line;
  while (names.size() < static_cast<std::size_t>(count) && std::getline(file, line)) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    names.push_back(line);
  }
  if (names.size() < static_cast<std::size_t>(count)) names.clear();  // of another problem, or none
  return names;
}

class NlFunctions final : public HostProgramFunctions {
 public:
  NlFunctions(const std::string& path, const NlHeader& header, int objective)
      : model_(path, header, objective),
        sign_(model_.maximises() ? -1.0 : 1.0),
        jacobian_{std::move(model_.jacobian.rows), std::move(model_.jacobian.columns)},
        hessian_{std::move(model_.hessian.rows), std::move(model_.hessian.columns)},
        variable_names_(names_beside(path, ".col", header.num_variables)),
        constraint_names_(names_beside(path, ".row", header.num_constraints)) {}

  const AslModel& model() const { return model_; }
  Index num_variables() const override { return model_.num_variables(); }
  Index num_constraints() const override { return model_.num_constraints(); }
  std::vector<std::string> variable_names() const override { return variable_names_; }
  std::vector<std::string> constraint_names() const override { return constraint_names_; }
  bool has_entries() const override { return true; }
  const SparsePattern& jacobian_pattern() const override { return jacobian_; }
  const SparsePattern& hessian_pattern() const override { return hessian_; }
  bool is_linear(Index i) const override { return i >= model_.num_nonlinear_constraints(); }

 protected:
  double host_objective(In x) override {
    double f = 0.0;
    return model_.objective(x, f) ? sign_ * f : std::numeric_limits<double>::quiet_NaN();
  }
  void host_gradient(In x, Out g) override {
    const bool good = model_.gradient(x, g);
    finish(good, g, sign_);
  }
  void host_constraints(In x, Out c) override { finish(model_.constraints(x, c), c); }
  void host_jacobian(In x, Out values) override {
    finish(model_.jacobian_values(x, values), values);
  }
  void host_hessian(In x, double sigma, In lambda, Out values) override {
    finish(model_.hessian_values(x, sign_ * sigma, lambda, values), values);
  }

 private:
  static void finish(bool good, Out values, double sign = 1.0) {
    if (good && sign == 1.0) return;
    const double factor = good ? sign : std::numeric_limits<double>::quiet_NaN();
    for (double& v : values) v = good ? factor * v : factor;
  }

  AslModel model_;
  double sign_;
  SparsePattern jacobian_, hessian_;
  std::vector<std::string> variable_names_, constraint_names_;
};

void refuse_what_is_no_smooth_program(const std::string& path, const NlHeader& h) {
  const auto refuse = [&](int count, const std::string& what, const std::string& next) {
    if (count > 0)
      throw Unsupported(path + " has " + std::to_string(count) + " " + what +
                        "; libsolve solves problems in real variables with equalities and "
                        "inequalities: " +
                        next);
  };
  refuse(h.num_integer_variables, "integer variables",
         "relax them (AMPL: option relax_integrality 1)");
  refuse(h.num_complementarities, "complementarity conditions",
         "write them as products, or their relaxation");
  refuse(h.num_logical_constraints, "logical constraints", "state them as inequalities");
}

/// From AMPL's duals, y_i = d(objective as stated) / d(bound of c_i), and what of f' + J^T lambda
/// the bounds can carry.
void set_multipliers(NonlinearProgram& p, const AslModel& model) {
  std::vector<double> lambda = model.dual_start, x = p.host_x();
  for (double& l : lambda) l *= model.maximises() ? 1.0 : -1.0;
  std::vector<double> g(x.size()), Jt_lambda(x.size(), 0.0), z(x.size(), 0.0);
  const HostAccess at(p.functions());
  at.gradient(x, g);
  at.apply_jacobian_adjoint(x, lambda, Jt_lambda);
  for (std::size_t j = 0; j < z.size(); ++j) {
    const double needed = -(g[j] + Jt_lambda[j]);
    const double bound = needed > 0.0 ? model.upper[j] : model.lower[j];
    if (std::isfinite(needed) && x[j] == bound) z[j] = needed;
  }
  p.set_solution(x, lambda, z);
  p.functions().reset_counts();
}

}  // namespace

void NlOptions::describe(Fields<NlOptions>& f) {
  f.add(
       "file", &NlOptions::file,
       "the .nl file, as AMPL, Pyomo and JuMP write it; ${NAME} stands for an environment variable")
      .required()
      .file();
  f.add("objective", &NlOptions::objective, Range::at_least(0),
        "which one of the file's objectives, from 1; 0: none, any feasible point will do");
}

std::unique_ptr<Problem> NlSource::create() {
  const std::string path = context_.resolve_file(options_.file);
  if (context_.communicator.size() > 1)
    throw Unsupported("the problem source 'nl' works on one rank, got " +
                      std::to_string(context_.communicator.size()) + "; run it without mpirun");
  const NlHeader header = read_nl_header(path);
  refuse_what_is_no_smooth_program(path, header);
  if (options_.objective > std::max(header.num_objectives, 1))
    throw InputError({}, "problem.objective",
                     path + " has " + std::to_string(header.num_objectives) +
                         " objectives, asked for number " + std::to_string(options_.objective));
  if (!header.is_binary) check_nl_text(path, header);
  auto functions = std::make_shared<NlFunctions>(path, header, options_.objective);
  const AslModel& model = functions->model();
  auto program = std::make_unique<NonlinearProgram>(
      functions, Bounds{model.lower, model.upper},
      Bounds{model.constraint_lower, model.constraint_upper}, model.start);
  program->is_maximisation = model.maximises();
  if (model.has_dual_start()) set_multipliers(*program, model);
  program->text = std::filesystem::path(path).filename().string() + ": " +
                  std::to_string(model.num_variables()) + " variables, " +
                  std::to_string(model.num_constraints()) + " constraints (" +
                  std::to_string(model.num_nonlinear_constraints()) + " nonlinear)";
  return program;
}

}  // namespace nl
