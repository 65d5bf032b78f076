#pragma once

#include <cstdint>
#include <libsolve/core/export.hpp>
#include <string>
#include <vector>

namespace libsolve {

/// One thing to do on the way through x_{n+1} = F_n(x_n), n = 0, ..., N - 1, and back. There is one
/// current state.
struct CheckpointAction {
  enum class Kind {
    advance,  ///< the current state, x_index, becomes x_{index + 1}
    store,    ///< the current state, x_index, goes to `slot`
    turn,     ///< x_N = F_{N-1}(current), beside the current state; here the way back begins
    restore,  ///< the current state is that of `slot`, x_index
    reverse,  ///< the adjoint of F_index, with the current state x_index at hand
  };
  Kind kind;
  int index;
  int slot = -1;
};

/// What to keep of a run of N steps and what to run again, so that the adjoint of each step has the
/// state that it starts from.
struct CheckpointSchedule {
  std::vector<CheckpointAction> actions = {};
  int num_steps = 0;
  int num_slots = 0;              ///< states kept at once, beside the current one and x_N
  std::int64_t num_advances = 0;  ///< forward steps in all, the one of the turn included
  bool is_repeatable = false;     ///< the way back leaves all slots as they were
  bool has_states = true;         ///< false: the way back has no states (linear schemes need none)
};

/// N forward steps, no states: for schemes whose adjoint does not depend on them.
LIBSOLVE_EXPORT CheckpointSchedule keep_nothing(int num_steps);
/// N forward steps, N slots.
LIBSOLVE_EXPORT CheckpointSchedule keep_all(int num_steps);
/// Segments of ceil(sqrt(N)) steps: fewer than 2 N forward steps, about 2 sqrt(N) slots. The start of
/// each segment is kept, and on the way back the segment is run again; of the last one all states
/// are kept at once.
LIBSOLVE_EXPORT CheckpointSchedule keep_square_root(int num_steps);
/// The fewest forward steps with `slots` >= 1 states kept (x_0 is one): Griewank, Walther,
/// Algorithm 799: revolve, ACM Trans. Math. Softw. 26, 2000.
LIBSOLVE_EXPORT CheckpointSchedule keep_binomial(int num_steps, int slots);
/// By name: "none", "all", "sqrt", "binomial". Unsupported for another one, ShapeError for no steps or slots.
LIBSOLVE_EXPORT CheckpointSchedule make_schedule(const std::string& name, int num_steps, int slots);

/// The steps to run (again) so that N of them can be reversed, x_0 in one of s slots:
///   t(N, s) = r N - binomial(s + r, r - 1),  r the smallest number with binomial(s + r, s) >= N,
/// and t(1, s) = 0. keep_binomial() makes one more, to x_N.
LIBSOLVE_EXPORT std::int64_t binomial_advances(std::int64_t num_steps, int slots);

}  // namespace libsolve
