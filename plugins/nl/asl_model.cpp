#include "asl_model.hpp"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <libsolve/core/errors.hpp>
#include <limits>
#include <mutex>

// After all others: it defines exit, getenv, filename and many more as macros.
#include <asl_pfgh.h>

namespace nl {

namespace {

/// The library's globals (cur_ASL, Stderr) have one owner at a time.
std::mutex& library_mutex() {
  static std::mutex mutex;
  return mutex;
}

/// While it lives the library's messages go to a text instead of standard error.
class CaughtMessages {
 public:
  CaughtMessages() : stream_(open_memstream(&text_, &size_)), before_(Stderr) {
    if (stream_ != nullptr) Stderr = stream_;
  }
  ~CaughtMessages() {
    Stderr = before_;
    if (stream_ != nullptr) std::fclose(stream_);
    std::free(text_);
  }
  CaughtMessages(const CaughtMessages&) = delete;
  CaughtMessages& operator=(const CaughtMessages&) = delete;

  /// In one line.
  std::string text() {
    if (stream_ == nullptr) return {};
    std::fflush(stream_);
    std::string line;
    for (const char* c = text_; c != nullptr && *c != '\0'; ++c)
      if (*c == '\n' || *c == '\t')
        line += line.empty() || line.back() == ' ' ? "" : " ";
      else
        line += *c;
    while (!line.empty() && line.back() == ' ') line.pop_back();
    return line;
  }

 private:
  char* text_ = nullptr;
  std::size_t size_ = 0;
  std::FILE* stream_;
  std::FILE* before_;
};

std::string reason_of(int code) {
  switch (code) {
    case ASL_readerr_argerr:
      return "a user-defined function has the wrong arguments";
    case ASL_readerr_unavail:
      return "a user-defined function is not available (AMPLFUNC names the libraries to look in)";
    case ASL_readerr_CLP:
      return "it has logical constraints";
    default:
      return "the file is damaged";
  }
}

/// AMPL's convention is an infinite bound; other writers put 1e20 or more there.
double bound(double value) {
  constexpr double no_bound = 1e20;
  return std::abs(value) >= no_bound ? std::copysign(std::numeric_limits<double>::infinity(), value)
                                     : value;
}

/// The library does not write to it.
real* pointer(AslModel::In x) {
  return const_cast<real*>(x.data());
}

/// The Hessian, where a longjmp out of it is caught; nothing here has a destructor.
bool sparse_hessian(ASL* asl, real* values, real* objective_weights, real* lambda) {
  Jmp_buf here;
  asl->i.err_jmp_ = &here;
  const bool failed = setjmp(here.jb) != 0;
  if (!failed) asl->p.Sphes(asl, nullptr, values, -1, objective_weights, lambda);
  asl->i.err_jmp_ = nullptr;
  return !failed;
}

}  // namespace

struct AslModel::Library {
  ASL* asl = nullptr;
  int objective = -1;                     // from 0; -1: none
  std::vector<double> objective_weights;  // of all objectives in the file
  // The library's Hessian is that of the point where the functions were evaluated last.
  std::vector<double> point;
  bool has_objective = false;
  bool has_constraints = false;
  std::vector<double> scratch;  // values of constraints

  /// To be called before the library sees x.
  void go_to(In x) {
    if (point.size() == x.size() && std::memcmp(point.data(), x.data(), x.size_bytes()) == 0)
      return;
    point.assign(x.begin(), x.end());
    has_objective = has_constraints = false;
  }
  bool evaluate_objective(In x, double& f) {
    go_to(x);
    fint failed = 0;
    f = objective < 0 ? 0.0 : asl->p.Objval(asl, objective, pointer(x), &failed);
    has_objective = failed == 0;
    return has_objective;
  }
  bool evaluate_constraints(In x, Out c) {
    go_to(x);
    fint failed = 0;
    if (!c.empty()) asl->p.Conval(asl, pointer(x), c.data(), &failed);
    has_constraints = failed == 0;
    return has_constraints;
  }
};

AslModel::AslModel(const std::string& path, const libsolve::NlHeader& header, int objective)
    : header_(header), library_(std::make_unique<Library>()) {
  const std::lock_guard lock(library_mutex());
  try {
    read(path, objective);
    take_data();
  } catch (...) {
    if (library_->asl != nullptr) ASL_free(&library_->asl);
    throw;
  }
}

AslModel::~AslModel() {
  const std::lock_guard lock(library_mutex());
  if (library_->asl != nullptr) ASL_free(&library_->asl);
}

void AslModel::read(const std::string& path, int objective) {
  ASL* const asl = library_->asl = ASL_alloc(ASL_read_pfgh);
  CaughtMessages messages;
  asl->i.return_nofile_ = 1;
  std::FILE* file = jac0dim_ASL(asl, path.c_str(), static_cast<ftnlen>(path.size()));
  if (file == nullptr)
    throw libsolve::DataError(path + ": AMPL's library opens files named *.nl only; rename it");
  const auto n = static_cast<std::size_t>(asl->i.n_var_);
  const auto m = static_cast<std::size_t>(asl->i.n_con_);
  const auto numbers = [&](std::size_t size) {  // the problem frees them
    return static_cast<real*>(M1zapalloc_ASL(&asl->i, (size + 1) * sizeof(real)));
  };
  const auto marks = [&](std::size_t size) {
    return static_cast<char*>(M1zapalloc_ASL(&asl->i, size + 1));
  };
  asl->i.LUv_ = numbers(n);
  asl->i.Uvx_ = numbers(n);
  asl->i.LUrhs_ = numbers(m);
  asl->i.Urhsx_ = numbers(m);
  asl->i.X0_ = numbers(n);
  asl->i.havex0_ = marks(n);
  asl->i.pi0_ = numbers(m);
  asl->i.havepi0_ = marks(m);
  asl->i.want_xpi0_ = 3;
  const int code = pfgh_read_ASL(asl, file, ASL_return_read_err | ASL_findgroups);
  if (code != 0) {
    const std::string said = messages.text();
    throw libsolve::DataError(path + ": " + reason_of(code) +
                              (said.empty() ? "" : ": AMPL's library says: " + said));
  }
  if (objective > 0 && asl->i.n_obj_ > 0) {
    library_->objective = objective - 1;
    maximises_ = asl->i.objtype_[objective - 1] != 0;
  }
  library_->objective_weights.assign(static_cast<std::size_t>(asl->i.n_obj_) + 1, 0.0);
}

void AslModel::take_data() {
  ASL* const asl = library_->asl;
  const auto n = static_cast<std::size_t>(asl->i.n_var_);
  const auto m = static_cast<std::size_t>(asl->i.n_con_);
  for (std::size_t j = 0; j < n; ++j) {
    lower.push_back(bound(asl->i.LUv_[j]));
    upper.push_back(bound(asl->i.Uvx_[j]));
  }
  start.assign(asl->i.X0_, asl->i.X0_ + n);
  dual_start.assign(asl->i.pi0_, asl->i.pi0_ + m);
  for (std::size_t i = 0; i < m; ++i) {
    constraint_lower.push_back(bound(asl->i.LUrhs_[i]));
    constraint_upper.push_back(bound(asl->i.Urhsx_[i]));
    has_dual_start_ = has_dual_start_ || asl->i.havepi0_[i] != 0;
  }
  const auto entries = static_cast<std::size_t>(asl->i.nzc_);
  jacobian.rows.assign(entries, 0);
  jacobian.columns.assign(entries, 0);
  for (std::size_t i = 0; i < m; ++i)
    for (const cgrad* g = asl->i.Cgrad_[i]; g != nullptr; g = g->next) {
      jacobian.rows[static_cast<std::size_t>(g->goff)] = static_cast<int>(i);
      jacobian.columns[static_cast<std::size_t>(g->goff)] = static_cast<int>(g->varno);
    }
  // Of all objectives with weights, so that each of them can be chosen.
  const fint size = asl->p.Sphset(asl, nullptr, -1, asl->i.n_obj_ > 0, m > 0, 1);
  const SputInfo* const upper_triangle = asl->i.sputinfo_;
  hessian.rows.reserve(static_cast<std::size_t>(size));
  for (std::size_t column = 0; column < n; ++column)
    for (fint k = upper_triangle->hcolstarts[column]; k < upper_triangle->hcolstarts[column + 1];
         ++k) {
      hessian.rows.push_back(static_cast<int>(column));
      hessian.columns.push_back(static_cast<int>(upper_triangle->hrownos[k]));
    }
}

bool AslModel::objective(In x, double& f) {
  const std::lock_guard lock(library_mutex());
  return library_->evaluate_objective(x, f);
}

bool AslModel::gradient(In x, Out g) {
  std::fill(g.begin(), g.end(), 0.0);
  if (library_->objective < 0) return true;
  const std::lock_guard lock(library_mutex());
  library_->go_to(x);
  fint failed = 0;
  library_->asl->p.Objgrd(library_->asl, library_->objective, pointer(x), g.data(), &failed);
  return failed == 0;
}

bool AslModel::constraints(In x, Out c) {
  const std::lock_guard lock(library_mutex());
  return library_->evaluate_constraints(x, c);
}

bool AslModel::jacobian_values(In x, Out values) {
  if (values.empty()) return true;
  const std::lock_guard lock(library_mutex());
  library_->go_to(x);
  fint failed = 0;
  library_->asl->p.Jacval(library_->asl, pointer(x), values.data(), &failed);
  return failed == 0;
}

bool AslModel::hessian_values(In x, double sigma, In lambda, Out values) {
  const std::lock_guard lock(library_mutex());
  library_->go_to(x);
  double f = 0.0;
  library_->scratch.resize(lambda.size());
  if (!library_->has_objective && !library_->evaluate_objective(x, f)) return false;
  if (!library_->has_constraints && !library_->evaluate_constraints(x, library_->scratch))
    return false;
  ASL* const asl = library_->asl;
  if (library_->objective >= 0)
    library_->objective_weights[static_cast<std::size_t>(library_->objective)] = sigma;
  const bool has_objectives = asl->i.n_obj_ > 0;
  return sparse_hessian(asl, values.data(),
                        has_objectives ? library_->objective_weights.data() : nullptr,
                        lambda.empty() ? nullptr : pointer(lambda));
}

}  // namespace nl
