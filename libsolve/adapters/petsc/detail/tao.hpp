#pragma once

#include <libsolve/adapters/tao.hpp>

namespace libsolve::petsc::detail {

std::unique_ptr<TaoSolver> make_petsc_tao(const TaoSettings& settings);
std::unique_ptr<TaoSolver> make_petsc_lcl(const LclSettings& settings);

}  // namespace libsolve::petsc::detail
