#pragma once

#include <cstdint>
#include <libsolve/core/export.hpp>
#include <memory>
#include <span>
#include <string>

namespace libsolve {

/// What one rank has sent since it started: for models of how a method scales (docs/scaling.md).
struct Traffic {
  std::int64_t reductions = 0;     ///< all-reduces, broadcasts and scans
  std::int64_t messages = 0;       ///< to single ranks
  std::int64_t message_bytes = 0;  ///< in those

  Traffic& operator+=(const Traffic& other) noexcept {
    reductions += other.reductions;
    messages += other.messages;
    message_bytes += other.message_bytes;
    return *this;
  }
  friend Traffic operator-(Traffic a, const Traffic& b) noexcept {
    a.reductions -= b.reductions;
    a.messages -= b.messages;
    a.message_bytes -= b.message_bytes;
    return a;
  }
};

/// A group of ranks and its reductions: MPI where built with it, else one rank. Copies are handles
/// to the same communicator. Every call but rank() and size() is collective. Reductions give the
/// same bits on all ranks.
class LIBSOLVE_EXPORT Communicator {
 public:
  /// One rank, no messages.
  Communicator();
  static Communicator self() { return Communicator(); }
  /// MPI_COMM_WORLD where MPI is up, else self().
  static Communicator world();
  /// Wraps the caller's communicator (not duplicated, not freed): pass a pointer to an MPI_Comm.
  /// Throws Unsupported in a build without MPI.
  static Communicator from_mpi(const void* mpi_comm);

  int rank() const noexcept;
  int size() const noexcept;
  /// Pointer to the wrapped MPI_Comm, or null for a communicator without MPI.
  const void* mpi_comm() const noexcept;

  void sum(std::span<double> values) const;
  void sum(std::span<std::int64_t> values) const;
  void max(std::span<double> values) const;
  void min(std::span<double> values) const;
  double sum(double value) const;
  std::int64_t sum(std::int64_t value) const;
  double max(double value) const;
  /// Sum of `value` over the ranks before this one.
  std::int64_t exclusive_scan(std::int64_t value) const;
  /// Rank 0's value on every rank.
  void broadcast(std::span<std::int64_t> values) const;
  std::string broadcast(const std::string& text) const;
  /// True on every rank where it is true on any.
  bool any(bool value) const;
  void barrier() const;

  /// Counted over all copies of this communicator; zero on one rank.
  Traffic traffic() const noexcept;
  /// For what sends messages by other means than this class.
  void count_messages(std::int64_t messages, std::int64_t bytes) const noexcept;

 private:
  struct Impl;
  explicit Communicator(std::shared_ptr<const Impl> impl);
  std::shared_ptr<const Impl> impl_;
};

}  // namespace libsolve
