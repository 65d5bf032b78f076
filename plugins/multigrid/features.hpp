/// \file
/// What a network sees of an operator: statistics of the couplings and the types of cells in small
/// boxes, pooled over a sample of them.
#pragma once

#include <array>

#include "survey.hpp"

namespace multigrid {

/// Boxes of 2, 4 and 8 cells along each strong axis (couplings at least half of the strongest), one
/// along the others: the cells that levels 1, 2 and 3 of a hierarchy would tie together.
inline constexpr int feature_scales = 3;
inline constexpr int features_a_scale = 6;
inline constexpr int global_features = 14;
inline constexpr int num_features = global_features + feature_scales * features_a_scale;

using Features = std::array<double, num_features>;

/// All about in [-1, 1]. Global: the two weaker axes relative to the strongest (log10 / 3), whether
/// x is strong, whether coefficients are constant, log2 of the number of cells / 24, range of the
/// couplings (log10 / 6, at most 2); of the sampled cells the parts that are solid, that have a
/// closed inner face and no excess for it, that have one or two open neighbours (ends and
/// channels), and that have three or four; which levels multigrid would take by itself (aligned,
/// operator-dependent, connected-pieces: 1 or 0), and by how much an aligned grid shrinks (log2 / 3).
/// For each scale: mean over the boxes of the range of couplings along an axis inside (log10 / 6),
/// part of boxes where it is beyond 10, part of boxes in several pieces, in several pieces of
/// strong couplings (at least 0.1 of the largest of both cells), part of boxes that are neither
/// solid nor open throughout, and the mean of 2 / (1 + F / (2 G_a) + F / (2 G_b)) - 1 over the
/// middle planes of the boxes: F the couplings across, G those inside along the axis (pieces.hpp):
/// 0 in a uniform medium, 1 at a constriction.
/// Range and levels are those of the survey, which multigrid makes anyway. The sample is fixed (no
/// seed): 256, 48 and 10 boxes (constant coefficients: one), about 10 000 cells, on the host.
[[nodiscard]] Features features_of(Survey& survey);

}  // namespace multigrid
