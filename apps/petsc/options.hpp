#pragma once

#include <functional>
#include <libsolve/plugin/registry.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "session.hpp"

namespace libsolve_in_petsc {

/// The preconditioner of ours that stands for the PC of a KSP: chosen by -pc_type, not by name.
inline constexpr const char* pc_of_ksp = "pc";

/// A method of ours as PETSc's options choose it: -ksp_libsolve_method cg -ksp_libsolve_KEY value.
struct Choice {
  std::string_view kind;  ///< "linear-solver", "preconditioner"
  std::string family;     ///< "ksp_libsolve_", "pc_libsolve_"
  std::string method;
  std::string works_on = "auto";  ///< -..._operator: auto, petsc, csr, grid
  Value options = {};             ///< those that were given
  /// Keys of methods that options of PETSc's own set: {"relative_tolerance", "-ksp_rtol"}.
  std::vector<std::pair<std::string, std::string>> elsewhere = {};

  const ComponentInfo& info() const;
  bool has_option(std::string_view key) const;
  /// "  method: gmres, restart = 50\n" for -ksp_view and -pc_view.
  std::string view() const;
};

/// Reads one option of the database by its name without the object's prefix,
/// "-ksp_libsolve_method"; no value where it is not there. `help` and `current` are what -help
/// prints.
using ReadOption = std::function<std::optional<std::string>(
    const std::string& name, const std::string& help, const std::string& current)>;

/// The choice from the database of `object`. InputError for an unknown method, an unknown key or a
/// value that does not fit, with what would be accepted.
void read_choice(PetscObject object, Choice& choice, const ReadOption& read);

/// What the setfromoptions of a KSP or PC does: read_choice() from what PETSc hands over, which
/// -help prints below `title`. `Items` is a pointer to PetscOptionItems, or that itself since 3.23.
template <class Items>
PetscErrorCode choice_from_options(PetscObject object, const char* title, Choice& choice,
                                   Items PetscOptionsObject) {
  PetscFunctionBegin;
  PetscOptionsHeadBegin(PetscOptionsObject, title);
  const ReadOption read = [&](const std::string& name, const std::string& help,
                              const std::string& current) -> std::optional<std::string> {
    char text[1024] = "";
    PetscBool is_set = PETSC_FALSE;
    const auto get = [&]() -> PetscErrorCode {
      PetscCall(PetscOptionsString(name.c_str(), help.c_str(), "", current.c_str(), text,
                                   sizeof text, &is_set));
      return PETSC_SUCCESS;
    };
    petsc::check(get());
    return is_set == PETSC_TRUE ? std::optional<std::string>(text) : std::nullopt;
  };
  PetscCall(guarded(object, "SetFromOptions_libsolve", [&] { read_choice(object, choice, read); }));
  PetscOptionsHeadEnd();
  PetscFunctionReturn(PETSC_SUCCESS);
}

}  // namespace libsolve_in_petsc
