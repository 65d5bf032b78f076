#include <cmath>
#include <libsolve/adapters/sundials/matrix.hpp>
#include <libsolve/adapters/sundials/nvector.hpp>
#include <libsolve/core/errors.hpp>

namespace libsolve::sun {

namespace {

// Own codes for results: SUNMAT_* (6.4) and SUN_ERR_* (7) are negative numbers, too.
constexpr int success = 0;
constexpr int failure = -1;

struct Content {
  Partition rows;
  double shift = 0.0;
  std::vector<OperatorTerm> terms = {};
  // What `current` was made of.
  std::shared_ptr<const LinearOperator> current = {};
  double current_shift = 0.0;
  std::vector<OperatorTerm> current_terms = {};
};

Content& content(SUNMatrix A) {
  return *static_cast<Content*>(A->content);
}

template <class Function>
int code(const Function& f) noexcept {
  try {
    f();
    return success;
  } catch (...) {
    return failure;
  }
}

SUNMatrix_ID get_id(SUNMatrix) {
  return SUNMATRIX_CUSTOM;
}

SUNMatrix clone(SUNMatrix A) noexcept {
  try {
    SUNMatrix B = SUNMatNewEmpty(A->sunctx);
    if (B == nullptr) return nullptr;
    if (SUNMatCopyOps(A, B) != 0) {
      SUNMatFreeEmpty(B);
      return nullptr;
    }
    B->content = new Content{content(A).rows};
    return B;
  } catch (...) {
    return nullptr;
  }
}

void destroy(SUNMatrix A) noexcept {
  if (A == nullptr) return;
  delete static_cast<Content*>(A->content);
  A->content = nullptr;
  SUNMatFreeEmpty(A);
}

int zero(SUNMatrix A) {
  content(A).shift = 0.0;
  content(A).terms.clear();
  return success;
}

int copy(SUNMatrix A, SUNMatrix B) noexcept {
  return code([&] {
    content(B).shift = content(A).shift;
    content(B).terms = content(A).terms;
    if (content(A).current != nullptr) {  // what was built once serves both
      content(B).current = content(A).current;
      content(B).current_shift = content(A).current_shift;
      content(B).current_terms = content(A).current_terms;
    }
  });
}

int scale_add_i(sunrealtype c, SUNMatrix A) {
  content(A).shift = c * content(A).shift + 1.0;
  for (OperatorTerm& t : content(A).terms) t.factor *= c;
  return success;
}

int scale_add(sunrealtype c, SUNMatrix A, SUNMatrix B) noexcept {
  return code([&] {
    Content& a = content(A);
    const Content b = content(B);  // a copy: B may be A
    a.shift = c * a.shift + b.shift;
    for (OperatorTerm& t : a.terms) t.factor *= c;
    for (const OperatorTerm& added : b.terms) {
      bool is_there = false;
      for (OperatorTerm& t : a.terms)
        if (t.L == added.L) {
          t.factor += added.factor;
          is_there = true;
        }
      if (!is_there) a.terms.push_back(added);
    }
  });
}

int matvec_setup(SUNMatrix A) noexcept {
  return code([&] { (void)operator_of(A); });
}

int matvec(SUNMatrix A, N_Vector x, N_Vector y) noexcept {
  return code([&] {
    const Partition& rows = content(A).rows;
    operator_of(A)->apply(as_vector(x, rows), as_vector(y, rows));
  });
}

int space(SUNMatrix A, long* reals, long* integers) {
  *reals = 1 + static_cast<long>(content(A).terms.size());
  *integers = static_cast<long>(content(A).terms.size());
  return success;
}

}  // namespace

SUNMatrix make_matrix(const Partition& rows, SUNContext context) {
  SUNMatrix A = SUNMatNewEmpty(context);
  if (A == nullptr)
    throw BackendError("SUNMatNewEmpty gave no matrix; was the SUNContext created, and not freed?");
  A->ops->getid = get_id;
  A->ops->clone = clone;
  A->ops->destroy = destroy;
  A->ops->zero = zero;
  A->ops->copy = copy;
  A->ops->scaleaddi = scale_add_i;
  A->ops->scaleadd = scale_add;
  A->ops->matvecsetup = matvec_setup;
  A->ops->matvec = matvec;
  A->ops->space = space;
  try {
    A->content = new Content{rows};
  } catch (...) {
    SUNMatFreeEmpty(A);
    throw;
  }
  return A;
}

bool is_matrix(SUNMatrix A) noexcept {
  return A != nullptr && A->ops != nullptr && A->ops->getid == get_id;
}

void set_operator(SUNMatrix A, std::shared_ptr<const LinearOperator> L, double factor,
                  double shift) {
  if (!is_matrix(A))
    throw Unsupported("set_operator() takes a matrix of libsolve::sun::make_matrix");
  content(A).shift = shift;
  content(A).terms.assign(1, OperatorTerm{factor, std::move(L)});
}

double context_of(SUNMatrix A) {
  if (!is_matrix(A))
    throw Unsupported("context_of() takes a matrix of libsolve::sun::make_matrix");
  const Content& c = content(A);
  return c.terms.empty() || c.shift == 0.0 ? 0.0 : std::abs(c.terms.front().factor / c.shift);
}

std::shared_ptr<const LinearOperator> operator_of(SUNMatrix A) {
  if (!is_matrix(A))
    throw Unsupported("operator_of() takes a matrix of libsolve::sun::make_matrix");
  Content& c = content(A);
  if (c.current == nullptr || c.shift != c.current_shift || c.terms != c.current_terms) {
    c.current = operator_sum(c.shift, c.terms, c.rows);
    c.current_shift = c.shift;
    c.current_terms = c.terms;
  }
  return c.current;
}

}  // namespace libsolve::sun
