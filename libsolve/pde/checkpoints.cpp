#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/pde/checkpoints.hpp>

namespace libsolve {

namespace {

using Kind = CheckpointAction::Kind;

/// Appends actions and keeps the counts.
class Writer {
 public:
  explicit Writer(int num_steps) { schedule.num_steps = num_steps; }
  void add(Kind kind, int index, int slot = -1) {
    schedule.actions.push_back({kind, index, slot});
    if (kind == Kind::advance || kind == Kind::turn) ++schedule.num_advances;
    if (kind == Kind::store) schedule.num_slots = std::max(schedule.num_slots, slot + 1);
  }
  void advance(int from, int to) {
    for (int n = from; n < to; ++n) add(Kind::advance, n);
  }
  CheckpointSchedule schedule;
};

/// The first step count m of the split of `length` steps with `slots` slots: m steps before the next
/// state kept. m + t(length - m, slots - 1) + t(m, slots) is convex in m.
int binomial_split(int length, int slots) {
  const auto cost = [&](int m) {
    return m + binomial_advances(length - m, slots - 1) + binomial_advances(m, slots);
  };
  int low = 1, high = length - 1;
  while (low < high) {
    const int middle = low + (high - low) / 2;
    if (cost(middle) <= cost(middle + 1))
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

/// The steps from, ..., to - 1, to be reversed from x_from, which `slot` has; the slots from `slot` on may
/// be used, `slots` of them.
struct Range {
  int from, to, slot, slots;
  bool is_current;  ///< x_from is the current state, else it is to be restored
};

/// Reverses a range with one slot.
void reverse_with_one_slot(Writer& out, const Range& r) {
  const bool turns = r.to == out.schedule.num_steps;
  for (int n = r.to - 1; n >= r.from; --n) {
    if (n < r.to - 1) out.add(Kind::restore, r.from, r.slot);
    out.advance(r.from, n);
    if (turns && n == r.to - 1) out.add(Kind::turn, n);
    out.add(Kind::reverse, n);
  }
}

/// Reverses a range: its later part from a state kept in between, then the earlier one. With a list of
/// what is left in place of recursion, which would go as deep as there are slots.
void reverse_range(Writer& out, const Range& all) {
  std::vector<Range> left = {all};
  while (!left.empty()) {
    const Range r = left.back();
    left.pop_back();
    if (!r.is_current) out.add(Kind::restore, r.from, r.slot);
    if (r.slots == 1 || r.to - r.from == 1) {
      reverse_with_one_slot(out, r);
      continue;
    }
    const int middle = r.from + binomial_split(r.to - r.from, r.slots);
    out.advance(r.from, middle);
    out.add(Kind::store, middle, r.slot + 1);
    left.push_back({r.from, middle, r.slot, r.slots, false});
    left.push_back({middle, r.to, r.slot + 1, r.slots - 1, true});
  }
}

}  // namespace

std::int64_t binomial_advances(std::int64_t num_steps, int slots) {
  if (num_steps <= 1) return 0;
  // b = binomial(s + r, s); one step of r at a time.
  std::int64_t r = 0, b = 1, before = 0;
  while (b < num_steps) {
    ++r;
    before = b;
    b = b * (slots + r) / r;  // binomial(s + r - 1, s) (s + r) / r
  }
  // binomial(s + r, r - 1) = binomial(s + r - 1, s) (s + r) / (s + 1)
  return r * num_steps - before * (slots + r) / (slots + 1);
}

CheckpointSchedule keep_nothing(int num_steps) {
  Writer out(num_steps);
  out.advance(0, num_steps - 1);
  out.add(Kind::turn, num_steps - 1);
  for (int n = num_steps - 1; n >= 0; --n) out.add(Kind::reverse, n);
  out.schedule.is_repeatable = true;
  out.schedule.has_states = false;
  return out.schedule;
}

CheckpointSchedule keep_all(int num_steps) {
  Writer out(num_steps);
  for (int n = 0; n < num_steps; ++n) {
    out.add(Kind::store, n, n);
    out.add(n == num_steps - 1 ? Kind::turn : Kind::advance, n);
  }
  for (int n = num_steps - 1; n >= 0; --n) {
    out.add(Kind::restore, n, n);
    out.add(Kind::reverse, n);
  }
  out.schedule.is_repeatable = true;
  return out.schedule;
}

CheckpointSchedule keep_square_root(int num_steps) {
  Writer out(num_steps);
  const int length = static_cast<int>(std::ceil(std::sqrt(static_cast<double>(num_steps))));
  const int segments = (num_steps + length - 1) / length;
  const auto inner_slot = [&](int n) { return segments + n % length - 1; };
  const auto run_and_keep = [&](int begin, int end) {
    for (int n = begin; n < end - 1; ++n) {
      out.add(Kind::advance, n);
      if (n + 1 < end - 1) out.add(Kind::store, n + 1, inner_slot(n + 1));
    }
  };
  const int last = (segments - 1) * length;
  for (int n = 0; n < last; ++n) {
    if (n % length == 0) out.add(Kind::store, n, n / length);
    out.add(Kind::advance, n);
  }
  out.add(Kind::store, last, segments - 1);
  for (int s = segments - 1; s >= 0; --s) {
    const int begin = s * length, end = std::min(begin + length, num_steps);
    if (begin != last) out.add(Kind::restore, begin, s);
    run_and_keep(begin, end);
    if (begin == last) out.add(Kind::turn, num_steps - 1);
    for (int n = end - 1; n >= begin; --n) {
      if (n < end - 1) out.add(Kind::restore, n, n == begin ? s : inner_slot(n));
      out.add(Kind::reverse, n);
    }
  }
  return out.schedule;
}

CheckpointSchedule keep_binomial(int num_steps, int slots) {
  Writer out(num_steps);
  out.add(Kind::store, 0, 0);
  reverse_range(out, {0, num_steps, 0, slots, true});
  return out.schedule;
}

CheckpointSchedule make_schedule(const std::string& name, int num_steps, int slots) {
  if (num_steps < 1 || slots < 1)
    throw ShapeError("checkpoints of " + std::to_string(num_steps) + " time steps in " +
                      std::to_string(slots) + " slots: there must be one at least of both");
  if (name == "none") return keep_nothing(num_steps);
  if (name == "all") return keep_all(num_steps);
  if (name == "sqrt") return keep_square_root(num_steps);
  if (name == "binomial") return keep_binomial(num_steps, slots);
  throw Unsupported("no way to keep checkpoints is called '" + name +
                    "'; there are none, all, sqrt and binomial");
}

}  // namespace libsolve
