/// \file
/// The settings of `multigrid` that `learned-multigrid` chooses between.
#pragma once

#include <string>

#include "multigrid.hpp"

namespace multigrid {

inline constexpr int num_settings = 13;
/// Multigrid's own choice; the others name kind of levels, cycle, sweeps. As many sweeps before as
/// after: M stays symmetric where the order is.
inline constexpr int plain_setting = 0;

struct Setting {
  std::string name;  ///< as notes and weights files show it
  MultigridOptions options;
};

/// Setting s with the caller's order, precision and everything else that is not chosen.
[[nodiscard]] Setting setting(int s, const MultigridOptions& given = {});

}  // namespace multigrid
