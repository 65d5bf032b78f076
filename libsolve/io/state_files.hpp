#pragma once

#include <functional>
#include <libsolve/pde/checkpointed_run.hpp>
#include <memory>
#include <set>
#include <string>

namespace libsolve {

/// Checkpoints in HDF5 files, PREFIX.SLOT.RANK.h5 in a folder, one for each slot and rank, removed with
/// the object: for runs whose states do not fit into memory.
class LIBSOLVE_EXPORT StateFiles final : public StateStore {
 public:
  /// The folder must be there. `prefix`: two objects in one folder need two.
  StateFiles(std::string folder, std::string prefix);
  ~StateFiles() override;
  StateFiles(const StateFiles&) = delete;
  StateFiles& operator=(const StateFiles&) = delete;

  /// IoError, on all ranks, where one cannot write or read its file. Collective.
  void store(int slot, const Vector& x) override;
  void load(int slot, const Vector& x) override;
  double memory_bytes() const override { return 0.0; }

 private:
  std::string path_of(int slot, const Vector& x) const;

  std::string folder_, prefix_;
  std::set<std::string> written_;
};

/// Makes StateFiles in one folder, with prefixes of this process and object: others may use the same
/// folder. Null for "": in memory.
LIBSOLVE_EXPORT std::function<std::shared_ptr<StateStore>()> state_files_in(
    const std::string& folder);

}  // namespace libsolve
