#pragma once

#include <libsolve/linear/preconditioner.hpp>

#include "engine.hpp"

namespace dcdm {

struct NetworkPreconditionerOptions {
  std::string weights = "auto";
  static void describe(Fields<NetworkPreconditionerOptions>& f) {
    f.add("weights", &NetworkPreconditionerOptions::weights,
          "trained weights: a path or a name; \"auto\": dcdm-2d or dcdm-3d");
  }
};

/// z = ||r|| f(r / ||r||) with a trained network: not symmetric and, unless the network is, not
/// linear, so conjugate gradients become flexible. The sign is that of the training's: it is fixed
/// at set-up so that r^T z > 0 for a random r.
class NetworkPreconditioner final : public Preconditioner {
 public:
  using Options = NetworkPreconditionerOptions;
  NetworkPreconditioner(const Options& options, const Context& context);
  void setup(const LinearSystem& system) override;
  void apply(const Vector& r, const Vector& z) override;
  bool is_linear() const override { return engine_.is_linear(); }
  bool is_symmetric() const override { return false; }
  double memory_bytes() const override { return engine_.memory_bytes(); }
  std::vector<Measure> metrics() const override { return engine_.metrics(); }
  std::vector<std::string> notes() const override { return {"weights: " + engine_.file()}; }

 private:
  Engine engine_;
  std::uint64_t seed_;
  double sign_ = 1.0;
};

}  // namespace dcdm
