#include "training_operators.hpp"

#include <cmath>
#include <libsolve/core/random.hpp>

namespace multigrid {
namespace {

using libsolve::Value;

/// Numbers of one operator, one after the other.
class Draw {
 public:
  Draw(std::uint64_t seed, int index)
      : stream_(seed, "multigrid::operators"), next_(std::uint64_t(index) << 16) {}
  double uniform(double low, double high) { return stream_.uniform(next_++, low, high); }
  int integer(int low, int high) { return low + int(uniform(0, 1) * (high - low + 1)); }
  bool chance(double p) { return uniform(0, 1) < p; }

 private:
  libsolve::RandomStream stream_;
  std::uint64_t next_;
};

void add_blocks(Value& p, Draw& draw) {
  int blocks = draw.integer(3, 26);
  while (blocks == 5 || blocks == 7 || blocks == 11 || blocks == 16 || blocks == 20)
    blocks = draw.integer(3, 26);
  p.set("coefficient", draw.chance(0.75) ? "blocks" : "layers");
  p.set("blocks", blocks);
  p.set("decades", draw.uniform(3.0, 7.0));
}

void add_mask(Value& p, Draw& draw) {
  const char* shapes[] = {"channels", "spheres", "boxes", "channels"};
  p.set("mask", shapes[draw.integer(0, 3)]);
  p.set("mask_fraction", draw.uniform(0.08, 0.4));
  p.set("mask_boundary", draw.chance(0.7) ? "neumann" : "dirichlet");
}

/// One or two axes weaker than the others, by up to 3.3 decades.
void add_axes(Value& p, Draw& draw) {
  std::vector<double> factor(3, 1.0);
  const int first = draw.integer(0, 2);
  factor[first] = std::pow(10.0, draw.uniform(-3.3, 0.0));
  if (draw.chance(0.5))
    factor[(first + draw.integer(1, 2)) % 3] = std::pow(10.0, draw.uniform(-3.3, 0.0));
  p.set("anisotropy", libsolve::detail::to_value(factor));
}

void add_smooth(Value& p, Draw& draw) {
  p.set("coefficient", "smooth");
  p.set("decades", draw.uniform(1.0, 6.0));
}

}  // namespace

Value family_operator(const std::string& family, std::uint64_t seed, int index) {
  Draw draw(seed, index);
  Value p;
  if (family == "jumps") {
    add_blocks(p, draw);
  } else if (family == "masks") {
    add_mask(p, draw);
  } else if (family == "anisotropy") {
    add_axes(p, draw);
  } else {
    const int kind = draw.integer(0, 5);
    if (kind == 0 || kind == 3) add_blocks(p, draw);
    if (kind == 1 || kind >= 4) add_smooth(p, draw);
    if (kind == 2) add_blocks(p, draw);
    if (kind >= 2 && kind <= 4) add_mask(p, draw);
    if (kind <= 1 || kind == 4 || kind == 3) add_axes(p, draw);
  }
  if (draw.chance(0.2)) p.set("boundary", "neumann");
  return p;
}

std::unique_ptr<libsolve::Problem> make_system(const libsolve::Context& context,
                                               libsolve::ComponentSpec spec, std::uint64_t seed) {
  libsolve::Context own = context;
  own.seed = seed;
  return own.make<libsolve::ProblemSource>(spec)->create();
}

}  // namespace multigrid
