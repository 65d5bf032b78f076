#pragma once

#include <libsolve/learn/trainer.hpp>
#include <libsolve/run/run.hpp>

namespace libsolve {

/// Table [output] of a case that trains.
struct TrainingOutputOptions {
  std::string file = "weights.h5";
  bool state = true;
  std::string snapshot_interval = "30s";

  static void describe(Fields<TrainingOutputOptions>& f) {
    using O = TrainingOutputOptions;
    f.add("file", &O::file, "weights file, relative to the folder the program runs in");
    f.add("state", &O::state,
          "store what --resume needs, also when the training is complete; without it files are "
          "smaller");
    f.add("snapshot_interval", &O::snapshot_interval,
          "time between snapshots FILE.partial of a running training; \"none\" for no snapshots");
  }
};

/// A case that can be trained: the tables [train] (a trainer by name, with its options), [output]
/// and [run].
struct TrainingCase {
  CaseRecord record = {};
  std::string base_folder = ".";
  ComponentSpec trainer = {};
  Value resolved = {};  ///< tables train, output, run with every default
  RunOptions run = {};
  TrainingOutputOptions output = {};
  double time_limit_s = 0.0;         ///< infinity for none
  double snapshot_interval_s = 0.0;  ///< infinity for none
};

/// Whether the case has the table [train].
LIBSOLVE_EXPORT bool is_training_case(const LoadedCase& loaded);

/// As resolve_case() for cases that train.
LIBSOLVE_EXPORT TrainingCase resolve_training_case(const LoadedCase& loaded,
                                                   const Registry& registry);

/// Trains a case as run_case() runs one: under a monitor (training curve, time limit, stop flag,
/// snapshots), and writes the weights file whatever stopped it. Resuming goes on from the state in
/// the weights file or its snapshot, to the same digits as without the break. On one rank;
/// Unsupported on several.
LIBSOLVE_EXPORT RunOutcome train_case(const TrainingCase& c, const Registry& registry,
                                      const RunSettings& settings);

}  // namespace libsolve
