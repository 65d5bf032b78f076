#pragma once

#include <functional>
#include <libsolve/core/vector.hpp>
#include <libsolve/pde/checkpoints.hpp>
#include <memory>
#include <string>

namespace libsolve {

/// Where states are kept, by slot.
class LIBSOLVE_EXPORT StateStore {
 public:
  virtual ~StateStore();
  virtual void store(int slot, const Vector& x) = 0;
  virtual void load(int slot, const Vector& x) = 0;  ///< of a slot stored before
  virtual double memory_bytes() const = 0;
};

/// In the memory that kernels work in.
class LIBSOLVE_EXPORT MemoryStore final : public StateStore {
 public:
  ~MemoryStore() override;
  void store(int slot, const Vector& x) override;
  void load(int slot, const Vector& x) override;
  double memory_bytes() const override;

 private:
  std::vector<Vector> slots_;
};

/// Goes through x_{n+1} = F_n(x_n) and back as a schedule says.
class LIBSOLVE_EXPORT CheckpointedRun {
 public:
  using Step = std::function<void(int n, const Vector& x, const Vector& next)>;
  /// `x` has no entries where the schedule has no states.
  using Reverse = std::function<void(int n, const Vector& x)>;

  CheckpointedRun(const Partition& partition, CheckpointSchedule schedule,
                  std::shared_ptr<StateStore> store = nullptr);

  /// x_N from x_0; good until the next call.
  const Vector& forward(const Vector& x0, const Step& step);
  /// reverse(n, x_n) for n = N - 1, ..., 0, with the same step as forward(). Only while can_go_back().
  void backward(const Step& step, const Reverse& reverse);
  /// After forward(); where the schedule is not repeatable, once.
  bool can_go_back() const noexcept { return can_go_back_; }

  const Vector& last_state() const noexcept { return last_; }
  const CheckpointSchedule& schedule() const noexcept { return schedule_; }
  const StateStore& store() const noexcept { return *store_; }
  std::int64_t num_advances() const noexcept { return num_advances_; }  ///< of all calls

 private:
  void run(std::size_t begin, std::size_t end, const Step& step, const Reverse& reverse);

  CheckpointSchedule schedule_;
  std::size_t turn_ = 0;  ///< first action of the way back
  std::shared_ptr<StateStore> store_;
  Vector current_, next_, last_, none_;
  bool can_go_back_ = false;
  std::int64_t num_advances_ = 0;
};

}  // namespace libsolve
