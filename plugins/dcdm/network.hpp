#pragma once

#include <libsolve/core/options.hpp>
#include <libsolve/learn/plan.hpp>

namespace dcdm {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// The networks that this plugin knows, as options of a training; a weights file keeps them.
struct NetworkOptions {
  std::string network = "u-net";
  int channels = 2;
  int levels = 3;
  std::string activation = "none";
  std::string normalisation = "rms";

  static void describe(Fields<NetworkOptions>& f);
};

/// u-net (ours), d the dimension, C channels, L levels; R = x + act(conv(x)):
///   conv 1 -> C, R; then for each level below: mean pooling, R R; on the lowest R R more and R R;
///   then upwards: nearest upsampling plus what was there before pooling, R R; a 1x1x1 conv to one
///   channel. 444 multiply-adds for each unknown at C = 2, L = 3 in 3D.
/// published-64, published-128: those of Kaneda et al. (2023) for 64^3 and 128^3 training, with
///   their 16 channels, ReLU and biases, whatever the other options say.
learn::Plan make_plan(const NetworkOptions& options, int dimension);

}  // namespace dcdm
