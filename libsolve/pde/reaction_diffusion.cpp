#include <algorithm>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/pde/reaction_diffusion.hpp>
#include <utility>

namespace libsolve {

namespace {

/// out = -out - r(u), or -r(u) alone.
struct RateBody {
  CubicReaction r;
  double sign;
  const double* u;
  double* out;
  KOKKOS_FUNCTION void operator()(Index i) const {
    const double before = sign == 0.0 ? 0.0 : sign * out[i];
    out[i] = before - r.value(u[i]);
  }
};

/// out = -out - r'(u) v; u may be null where r' is constant.
struct SlopeBody {
  CubicReaction r;
  const double *u, *v;
  double* out;
  KOKKOS_FUNCTION void operator()(Index i) const {
    const double at = u == nullptr ? 0.0 : u[i];
    out[i] = -out[i] - r.slope(at) * v[i];
  }
};

/// out -= r''(u) v p.
struct CurvatureBody {
  CubicReaction r;
  const double *u, *v, *p;
  double* out;
  KOKKOS_FUNCTION void operator()(Index i) const { out[i] -= r.curvature(u[i]) * v[i] * p[i]; }
};

template <class Body>
void rows(const char* label, const Vector& out, const Body& body) {
  for_rows(default_space(), label, out.local_size(), body);
  Kokkos::fence(label);
}

}  // namespace

ReactionDiffusion::ReactionDiffusion(std::shared_ptr<const LinearOperator> A,
                                     const CubicReaction& reaction)
    : A_(std::move(A)), reaction_(reaction) {
  if (!A_->is_symmetric())
    throw ShapeError("reaction and diffusion need a symmetric operator, got " + A_->description());
}

void ReactionDiffusion::rate(double, const Vector& u, const Vector& out) {
  A_->apply(u, out);
  rows("reaction_diffusion::rate", out, RateBody{reaction_, -1.0, u.data(), out.data()});
}

void ReactionDiffusion::apply_jacobian(double, const Vector& u, const Vector& v,
                                       const Vector& out) {
  A_->apply(v, out);
  rows("reaction_diffusion::slope", out,
       SlopeBody{reaction_, is_linear() ? nullptr : u.data(), v.data(), out.data()});
}

void ReactionDiffusion::add_second_derivative(double, const Vector& u, const Vector& v,
                                              const Vector& p, const Vector& out) {
  rows("reaction_diffusion::curvature", out,
       CurvatureBody{reaction_, u.data(), v.data(), p.data(), out.data()});
}

bool ReactionDiffusion::is_split() const {
  return reaction_.linear != 0.0 || !reaction_.is_linear();
}

void ReactionDiffusion::stiff_rate(double, const Vector& u, const Vector& out) {
  A_->apply(u, out);
  scale(-1.0, out);
}

void ReactionDiffusion::mild_rate(double, const Vector& u, const Vector& out) {
  rows("reaction_diffusion::mild", out, RateBody{reaction_, 0.0, u.data(), out.data()});
}

TimeSystem::NewtonMatrix ReactionDiffusion::newton_matrix(double, const Vector&) {
  return {A_, -1.0, -std::max(reaction_.linear, 0.0)};
}

}  // namespace libsolve
