#include <malloc.h>
#include <mpi.h>

#include <exception>
#include <libsolve/adapters/petsc/detail/session.hpp>
#include <libsolve/core/runtime.hpp>
#include <sstream>

namespace libsolve::petsc::detail {

namespace {

/// The state of the innermost ErrorScope.
struct ErrorState {
  std::string text;            ///< what PETSc said first
  std::exception_ptr pending;  ///< an exception of ours on its way through PETSc
};
ErrorState errors;
int scopes = 0;

PetscErrorCode collect(MPI_Comm, int, const char* function, const char*, PetscErrorCode code,
                       PetscErrorType type, const char* message, void*) {
  if (type == PETSC_ERROR_INITIAL && errors.text.empty()) {
    errors.text = message != nullptr ? message : "";
    while (!errors.text.empty() && (errors.text.back() == '\n' || errors.text.back() == ' '))
      errors.text.pop_back();
    for (char& c : errors.text)
      if (c == '\n') c = ' ';
    if (function != nullptr) errors.text += std::string(" (in ") + function + ")";
  }
  return code;
}

void take_down() {
  PetscBool down = PETSC_FALSE;
  if (PetscFinalized(&down) == PETSC_SUCCESS && down == PETSC_FALSE) (void)PetscFinalize();
}

}  // namespace

bool is_up() {
  PetscBool up = PETSC_FALSE, down = PETSC_FALSE;
  (void)PetscInitialized(&up);
  (void)PetscFinalized(&down);
  return up == PETSC_TRUE && down == PETSC_FALSE;
}

void bring_up() {
  if (is_up()) return;
  int mpi_up = 0, mpi_down = 0;
  MPI_Initialized(&mpi_up);
  MPI_Finalized(&mpi_down);
  if (mpi_up == 0 || mpi_down != 0)
    throw BackendError(
        "PETSc was asked for while MPI is not up: create a libsolve::Runtime first and keep it");
  Runtime::at_end(take_down);  // throws without a Runtime
  // No files of the folder or the home directory, no signal handlers; PETSC_OPTIONS is the user's.
  char program[] = "libsolve", no_file[] = "-skip_petscrc", no_handler[] = "-no_signal_handler";
  char* words[] = {program, no_file, no_handler, nullptr};
  char** arguments = words;
  int count = 3;
  if (PetscInitialize(&count, &arguments, nullptr, nullptr) != PETSC_SUCCESS)
    throw BackendError("PetscInitialize failed");
}

// ---- errors -------------------------------------------------------------------------------------

MPI_Comm mpi_comm(const Communicator& comm) {
  return comm.size() > 1 ? *static_cast<const MPI_Comm*>(comm.mpi_comm()) : PETSC_COMM_SELF;
}

ErrorScope::ErrorScope(std::string doing, Communicator ranks)
    : doing_(std::move(doing)), ranks_(std::move(ranks)) {
  if (scopes++ == 0) errors = {};
  (void)PetscPushErrorHandler(collect, nullptr);
}

ErrorScope::~ErrorScope() {
  --scopes;
  (void)PetscPopErrorHandler();
}

PetscErrorCode ErrorScope::keep_exception() {
  if (errors.pending == nullptr) errors.pending = std::current_exception();
  return PETSC_ERR_USER;
}

void ErrorScope::check(PetscErrorCode code) const {
  together(ranks_, [&] { check_here(code); });
}

void ErrorScope::check_here(PetscErrorCode code) const {
  if (errors.pending != nullptr) {
    const std::exception_ptr e = std::exchange(errors.pending, nullptr);
    errors.text.clear();
    std::rethrow_exception(e);
  }
  if (code == PETSC_SUCCESS) return;
  std::string text = std::exchange(errors.text, {});
  if (text.empty()) {
    const char* generic = nullptr;
    (void)PetscErrorMessage(code, &generic, nullptr);
    text = generic != nullptr ? generic : "no text";
  }
  const std::string message =
      doing_ + ": PETSc error " + std::to_string(static_cast<int>(code)) + ": " + text;
  if (code == PETSC_ERR_MAT_LU_ZRPVT || code == PETSC_ERR_MAT_CH_ZRPVT || code == PETSC_ERR_FP ||
      code == PETSC_ERR_NOT_CONVERGED)
    throw NumericalError(message);
  if (code == PETSC_ERR_SUP || code == PETSC_ERR_ARG_UNKNOWN_TYPE || code == PETSC_ERR_SUP_SYS ||
      code == PETSC_ERR_MISSING_FACTOR)
    throw Unsupported(message);
  throw BackendError(message);
}

// ---- options ------------------------------------------------------------------------------------

OptionsPrefix::OptionsPrefix(const std::string& options, const std::string& asker) : asker_(asker) {
  static int num_prefixes = 0;
  prefix_ = "libsolve_" + std::to_string(++num_prefixes) + "_";
  std::vector<std::pair<std::string, std::string>> list;
  std::istringstream words(options);
  for (std::string word; words >> word;) {
    const bool is_name = word.size() > 1 && word[0] == '-' &&
                         (std::isalpha(static_cast<unsigned char>(word[1])) != 0 || word[1] == '_');
    if (is_name) {
      list.emplace_back(word.substr(1), "");
    } else if (list.empty()) {
      throw InputError({}, "options",
                       asker_ + ": PETSc options begin with a dash, and '" + word +
                           "' does not; write \"-ksp_type cg -pc_type gamg\"");
    } else {
      std::string& value = list.back().second;
      value += (value.empty() ? "" : " ") + word;
    }
  }
  const ErrorScope scope("setting PETSc options");
  for (const auto& [name, value] : list) {
    scope.check(PetscOptionsSetValue(nullptr, ("-" + prefix_ + name).c_str(),
                                     value.empty() ? nullptr : value.c_str()));
    names_.push_back(name);
  }
}

OptionsPrefix::~OptionsPrefix() {
  if (!is_up()) return;
  for (const std::string& name : names_)
    (void)PetscOptionsClearValue(nullptr, ("-" + prefix_ + name).c_str());
}

bool OptionsPrefix::has(const std::string& name) const {
  return std::find(names_.begin(), names_.end(), name) != names_.end();
}

void OptionsPrefix::require_all_used(const Communicator& comm) const {
  // What only some ranks have a use for, is used.
  std::vector<std::int64_t> uses(names_.size(), 0);
  for (size_t i = 0; i < names_.size(); ++i) {
    PetscBool used = PETSC_TRUE;
    const PetscErrorCode code = PetscOptionsUsed(nullptr, (prefix_ + names_[i]).c_str(), &used);
    uses[i] = code != PETSC_SUCCESS || used == PETSC_TRUE ? 1 : 0;
  }
  comm.sum(uses);
  std::vector<std::string> unused;
  for (size_t i = 0; i < names_.size(); ++i) {
    const std::string& name = names_[i];
    // Viewers and monitors may be asked for later.
    if (name.find("view") != std::string::npos || name.find("monitor") != std::string::npos ||
        name.find("reason") != std::string::npos)
      continue;
    if (uses[i] == 0) unused.push_back("-" + name);
  }
  if (unused.empty()) return;
  std::string text = unused[0];
  for (size_t i = 1; i < unused.size(); ++i) text += ", " + unused[i];
  throw InputError({}, "options",
                   asker_ + ": PETSc did not use " + text +
                       "; is it spelled right, and does it belong to the KSP and PC chosen?");
}

// ---- numbers ------------------------------------------------------------------------------------

namespace {
constexpr bool on_host = Kokkos::SpaceAccessibility<Kokkos::HostSpace, MemSpace>::accessible;
}

void HostNumbers::allocate(const Vector& like) {
  if constexpr (!on_host)
    copy_ = Kokkos::View<double*, Kokkos::HostSpace>("petsc::host_numbers",
                                                     static_cast<size_t>(like.local_size()));
}

const double* HostNumbers::read(const Vector& v) {
  Kokkos::fence("petsc::read");
  if constexpr (on_host) return v.data();
  Kokkos::deep_copy(copy_, v.view());
  return copy_.data();
}

double* HostNumbers::write(const Vector& v) {
  Kokkos::fence("petsc::write");
  if constexpr (on_host) return v.data();
  return copy_.data();
}

void HostNumbers::publish(const Vector& v) {
  if constexpr (!on_host) Kokkos::deep_copy(v.view(), copy_);
}

Vector BorrowedVector::read(const double* data) {
  const auto n = static_cast<size_t>(partition_.local_size());
  if constexpr (on_host) {
    return Vector(VectorView(const_cast<double*>(data), n), partition_);
  } else {
    if (device_.extent(0) != n) device_ = VectorView("petsc::borrowed", n);
    Kokkos::deep_copy(device_, Kokkos::View<const double*, Kokkos::HostSpace>(data, n));
    return Vector(device_, partition_);
  }
}

Vector BorrowedVector::write(double* data) {
  const auto n = static_cast<size_t>(partition_.local_size());
  if constexpr (on_host) {
    return Vector(VectorView(data, n), partition_);
  } else {
    if (device_.extent(0) != n) device_ = VectorView("petsc::borrowed", n);
    return Vector(device_, partition_);
  }
}

void BorrowedVector::publish(double* data) {
  Kokkos::fence("petsc::publish");
  if constexpr (!on_host)
    Kokkos::deep_copy(Kokkos::View<double*, Kokkos::HostSpace>(
                          data, static_cast<size_t>(partition_.local_size())),
                      device_);
}

double heap_bytes() {
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
  const struct mallinfo2 info = mallinfo2();
  return static_cast<double>(info.uordblks) + static_cast<double>(info.hblkhd);
#else
  return 0.0;
#endif
}

}  // namespace libsolve::petsc::detail
