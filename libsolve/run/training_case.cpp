#include <filesystem>
#include <libsolve/io/case_file.hpp>
#include <libsolve/run/detail/case_parts.hpp>
#include <libsolve/run/train.hpp>
#include <limits>

namespace libsolve {

bool is_training_case(const LoadedCase& loaded) {
  return loaded.root.find("train") != nullptr;
}

TrainingCase resolve_training_case(const LoadedCase& loaded, const Registry& registry) {
  using namespace detail;
  TrainingCase c;
  c.record = loaded.record;
  const std::filesystem::path folder = std::filesystem::path(loaded.record.path).parent_path();
  c.base_folder = folder.empty() ? "." : folder.string();
  Diagnostics problems;

  if (!is_training_case(loaded) && loaded.root.find("method") != nullptr)
    problems.add(loaded.root.find("method")->where, "method",
                 "this case solves a problem; run it by: libsolve run " + loaded.record.path);
  else
    refuse_unknown_tables(loaded.root, {"train", "output", "run"}, problems);

  Value resolved_trainer;
  if (component_of(loaded.root, "train", "name", registry.names(Trainer::kind), c.trainer,
                   problems))
    resolved_trainer =
        registry.resolve(Trainer::kind, c.trainer, "train.", problems, c.base_folder);

  resolve_output_and_run(loaded.root, c, problems);
  throw_in_order(problems);

  c.resolved.set("train", resolved_trainer);
  c.resolved.set("output", options_to_value(c.output));
  c.resolved.set("run", options_to_value(c.run));
  c.record.resolved = to_toml(c.resolved);
  return c;
}

}  // namespace libsolve
