#include <libsolve/core/errors.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/pde/checkpointed_run.hpp>
#include <utility>

namespace libsolve {

using Kind = CheckpointAction::Kind;

StateStore::~StateStore() = default;
MemoryStore::~MemoryStore() = default;

void MemoryStore::store(int slot, const Vector& x) {
  const auto at = static_cast<std::size_t>(slot);
  if (slots_.size() <= at) slots_.resize(at + 1);
  if (slots_[at].local_size() != x.local_size() || slots_[at].data() == nullptr)
    slots_[at] = x.like("pde::checkpoint");
  copy(x, slots_[at]);
}

void MemoryStore::load(int slot, const Vector& x) {
  copy(slots_[static_cast<std::size_t>(slot)], x);
}

double MemoryStore::memory_bytes() const {
  double bytes = 0.0;
  for (const Vector& v : slots_) bytes += 8.0 * v.local_size();
  return bytes;
}

CheckpointedRun::CheckpointedRun(const Partition& partition, CheckpointSchedule schedule,
                                 std::shared_ptr<StateStore> store)
    : schedule_(std::move(schedule)),
      store_(store ? std::move(store) : std::make_shared<MemoryStore>()),
      current_("pde::state", partition),
      next_("pde::next_state", partition),
      last_("pde::last_state", partition) {
  while (schedule_.actions[turn_].kind != Kind::turn) ++turn_;
  ++turn_;
}

void CheckpointedRun::run(std::size_t begin, std::size_t end, const Step& step,
                          const Reverse& reverse) {
  for (std::size_t a = begin; a < end; ++a) {
    const CheckpointAction& action = schedule_.actions[a];
    switch (action.kind) {
      case Kind::advance:
        step(action.index, current_, next_);
        std::swap(current_, next_);
        ++num_advances_;
        break;
      case Kind::turn:
        step(action.index, current_, last_);
        ++num_advances_;
        break;
      case Kind::store:
        store_->store(action.slot, current_);
        break;
      case Kind::restore:
        store_->load(action.slot, current_);
        break;
      case Kind::reverse:
        reverse(action.index, schedule_.has_states ? current_ : none_);
        break;
    }
  }
}

const Vector& CheckpointedRun::forward(const Vector& x0, const Step& step) {
  can_go_back_ = false;
  copy(x0, current_);
  run(0, turn_, step, {});
  can_go_back_ = true;
  return last_;
}

void CheckpointedRun::backward(const Step& step, const Reverse& reverse) {
  if (!can_go_back_)
    throw Unsupported("a run was gone back through that is not at its end; go forward first");
  can_go_back_ = schedule_.is_repeatable;
  run(turn_, schedule_.actions.size(), step, reverse);
}

}  // namespace libsolve
