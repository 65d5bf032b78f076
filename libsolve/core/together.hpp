#pragma once

#include <exception>
#include <libsolve/core/communicator.hpp>

namespace libsolve {

/// Collective. Rethrows, on all ranks, what the first rank with a `fault` has: an Error of the same
/// class and words (InputError without its places in files), std::bad_alloc as itself, anything
/// else as an Error. Returns where no rank has one.
LIBSOLVE_EXPORT void throw_together(const Communicator& comm, const std::exception_ptr& fault);

/// Runs `body` on every rank; where it throws on one, it throws on all. For work that each rank
/// does alone: one that leaves early must not let the others wait in a reduction. Collective.
template <class Body>
void together(const Communicator& comm, const Body& body) {
  if (comm.size() == 1) return body();
  std::exception_ptr fault;
  try {
    body();
  } catch (...) {
    fault = std::current_exception();
  }
  throw_together(comm, fault);
}

}  // namespace libsolve
