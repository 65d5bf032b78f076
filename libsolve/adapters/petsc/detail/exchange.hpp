#pragma once

#include <libsolve/linear/exchange.hpp>

namespace libsolve::petsc::detail {

std::unique_ptr<Exchange> make_sf_exchange(const Partition& owner,
                                           std::span<const GlobalIndex> wanted);

}  // namespace libsolve::petsc::detail
