#pragma once

#include <libsolve/io/nl_header.hpp>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace nl {

/// A problem in AMPL's solver library (ASL): what its file says, and its functions with first and
/// second derivatives. The one place that includes the library's headers, whose macros have common
/// names. The library keeps the problem of the last call and its error channel in globals: calls
/// are serialised over all models of the process, so that several can be worked with at once.
class AslModel {
 public:
  struct Places {
    std::vector<int> rows = {};
    std::vector<int> columns = {};
  };
  using In = std::span<const double>;
  using Out = std::span<double>;

  /// objective: which one of the file's counts, from 1; 0 or a file without objectives: none, f =
  /// 0. Throws libsolve::DataError with the file's name, and the line where the library says it.
  AslModel(const std::string& path, const libsolve::NlHeader& header, int objective);
  ~AslModel();
  AslModel(const AslModel&) = delete;
  AslModel& operator=(const AslModel&) = delete;

  int num_variables() const { return header_.num_variables; }
  int num_constraints() const { return header_.num_constraints; }
  /// The first ones; those after them are linear.
  int num_nonlinear_constraints() const { return header_.num_nonlinear_constraints; }
  bool maximises() const { return maximises_; }
  bool has_dual_start() const { return has_dual_start_; }

  /// As in the file, infinite where there is no bound; `dual_start` in AMPL's sign.
  std::vector<double> lower = {}, upper = {};
  std::vector<double> constraint_lower = {}, constraint_upper = {};
  std::vector<double> start = {}, dual_start = {};
  Places jacobian = {};
  Places hessian = {};  ///< lower triangle

  // At x (n). The objective as the file states it. False, and outputs are undefined, where AMPL's
  // library met an argument that a function or its derivative is not defined for, or an overflow.
  bool objective(In x, double& f);
  bool gradient(In x, Out g);
  bool constraints(In x, Out c);
  bool jacobian_values(In x, Out values);
  /// sigma times the objective's Hessian plus sum_i lambda_i times that of c_i.
  bool hessian_values(In x, double sigma, In lambda, Out values);

 private:
  struct Library;
  void read(const std::string& path, int objective);
  void take_data();

  libsolve::NlHeader header_;
  std::unique_ptr<Library> library_;
  bool maximises_ = false;
  bool has_dual_start_ = false;
};

}  // namespace nl
