/* A program of PETSc's that knows nothing of libsolve: -laplace(u) = f on the unit square or cube, u = 0
   on the boundary, by second differences on the inner points of a uniform grid.

     -case da     DMDA and KSPSetComputeOperators (2D; -three for 3D)
     -case walls  the same, 2D, points on the boundary kept as unknowns with the equation u = 0
     -case rows   MatSetValues row by row, no DM (2D; -three for 3D)
     -case shell  MATSHELL, no entries (2D)
     -jump        coefficient 1000 in a quarter of the domain, f from the matrix
     -neumann     no boundary conditions; the null space is attached
     -growth 5    minus growth u, as in a Newton step of a reaction; f from the matrix
     -wind 3      plus wind du/dx, upwind: an unsymmetric matrix; f from the matrix
     -n 33        inner points along an axis
     -forget      no object is destroyed before PetscFinalize
     -solves 1    how often the matrix is made anew (times k) and solved

   Exit code 0 where every solve converged in at most -max_its steps (10000) and the error is at most
   -max_error (1e-3) of the largest u. */
#include <petscdmda.h>
#include <petscksp.h>

typedef struct {
  PetscInt  n, dim, points;        /* inner points along an axis, axes, points along an axis kept */
  PetscInt  lo;                    /* index of the first point kept: 1, or 0 with the boundary */
  PetscBool jump, neumann, walls;
  PetscReal h, scale, wind, growth;
  Mat       inner;                 /* what the shell multiplies by */
} Setup;

static PetscReal Coefficient(const Setup *s, const PetscReal *x)
{
  return s->jump && x[0] > 0.5 && x[1] > 0.5 ? 1000.0 : 1.0;
}

/* u = e^x x (1 - x) y (1 - y) z (1 - z) */
static PetscReal U(const Setup *s, const PetscReal *x)
{
  PetscReal u = PetscExpReal(x[0]);
  PetscInt  a;
  for (a = 0; a < s->dim; ++a) u *= x[a] * (1.0 - x[a]);
  return u;
}

static PetscReal F(const Setup *s, const PetscReal *x)
{
  PetscReal q[3] = {1.0, 1.0, 1.0}, e = PetscExpReal(x[0]), g = x[0] * (1.0 - x[0]) * e, f;
  PetscInt  a;
  for (a = 1; a < s->dim; ++a) q[a] = x[a] * (1.0 - x[a]);
  f = (3.0 * x[0] + x[0] * x[0]) * e * q[1] * q[2];
  if (s->dim > 1) f += 2.0 * g * q[2];
  if (s->dim > 2) f += 2.0 * g * q[1];
  return s->scale * f;
}

static void Place(const Setup *s, const PetscInt *i, PetscReal *x)
{
  PetscInt a;
  for (a = 0; a < 3; ++a) x[a] = a < s->dim ? (i[a] + s->lo) * s->h : 0.0;
}

/* Entries of the row of point i; columns as points. */
static PetscInt Row(const Setup *s, const PetscInt *i, PetscInt col[7][3], PetscScalar *v)
{
  PetscInt  a, side, num = 1;
  PetscReal x[3], diagonal = 0.0;
  Place(s, i, x);
  for (a = 0; a < 3; ++a) col[0][a] = i[a];
  for (a = 0; a < s->dim; ++a)
    if (s->walls && (i[a] == 0 || i[a] == s->points - 1)) {
      v[0] = 1.0;
      return 1;
    }
  for (a = 0; a < s->dim; ++a)
    for (side = -1; side <= 1; side += 2) {
      PetscReal middle[3], k;
      PetscInt  b, j = i[a] + side;
      for (b = 0; b < 3; ++b) middle[b] = x[b] + (b == a ? 0.5 * side * s->h : 0.0);
      k = s->scale * Coefficient(s, middle) / (s->h * s->h);
      if (a == 0 && side == -1) k += s->scale * s->wind / s->h;
      if (j < 0 || j >= s->points) {
        if (!s->neumann) diagonal += k;
        continue;
      }
      diagonal += k;
      for (b = 0; b < 3; ++b) col[num][b] = b == a ? j : i[b];
      v[num++] = -k;
    }
  v[0] = diagonal - s->scale * s->growth;
  return num;
}

static PetscErrorCode FillDa(KSP ksp, Mat J, Mat A, void *ctx)
{
  Setup        *s = (Setup *)ctx;
  DM            da;
  DMDALocalInfo info;
  PetscInt      i[3];
  PetscFunctionBeginUser;
  PetscCall(KSPGetDM(ksp, &da));
  PetscCall(DMDAGetLocalInfo(da, &info));
  for (i[2] = info.zs; i[2] < info.zs + info.zm; ++i[2])
    for (i[1] = info.ys; i[1] < info.ys + info.ym; ++i[1])
      for (i[0] = info.xs; i[0] < info.xs + info.xm; ++i[0]) {
        PetscInt    col[7][3], num, e;
        PetscScalar v[7];
        MatStencil  row = {0}, at[7];
        num   = Row(s, i, col, v);
        row.i = i[0], row.j = i[1], row.k = i[2];
        for (e = 0; e < num; ++e) at[e].i = col[e][0], at[e].j = col[e][1], at[e].k = col[e][2], at[e].c = 0;
        PetscCall(MatSetValuesStencil(A, 1, &row, num, at, v, INSERT_VALUES));
      }
  PetscCall(MatAssemblyBegin(A, MAT_FINAL_ASSEMBLY));
  PetscCall(MatAssemblyEnd(A, MAT_FINAL_ASSEMBLY));
  if (s->neumann) {
    MatNullSpace space;
    PetscCall(MatNullSpaceCreate(PetscObjectComm((PetscObject)A), PETSC_TRUE, 0, NULL, &space));
    PetscCall(MatSetNullSpace(A, space));
    PetscCall(MatNullSpaceDestroy(&space));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode FillRows(const Setup *s, Mat A)
{
  PetscInt first, last, r;
  PetscFunctionBeginUser;
  PetscCall(MatGetOwnershipRange(A, &first, &last));
  for (r = first; r < last; ++r) {
    PetscInt    i[3], col[7][3], at[7], num, e;
    PetscScalar v[7];
    i[0] = r % s->n, i[1] = r / s->n % s->n, i[2] = r / (s->n * s->n);
    num = Row(s, i, col, v);
    for (e = 0; e < num; ++e) at[e] = col[e][0] + s->n * (col[e][1] + s->n * col[e][2]);
    PetscCall(MatSetValues(A, 1, &r, num, at, v, INSERT_VALUES));
  }
  PetscCall(MatAssemblyBegin(A, MAT_FINAL_ASSEMBLY));
  PetscCall(MatAssemblyEnd(A, MAT_FINAL_ASSEMBLY));
  PetscFunctionReturn(0);
}

static PetscErrorCode MultiplyShell(Mat A, Vec x, Vec y)
{
  Setup *s;
  PetscFunctionBeginUser;
  PetscCall(MatShellGetContext(A, &s));
  PetscCall(MatMult(s->inner, x, y));
  PetscFunctionReturn(0);
}

/* u and f at the points of this rank; `da` may be NULL */
static PetscErrorCode FillVectors(const Setup *s, DM da, Vec u, Vec f)
{
  PetscFunctionBeginUser;
  if (da) {
    DMDALocalInfo info;
    PetscInt      i[3], r = 0;
    PetscScalar  *pu, *pf;
    PetscCall(DMDAGetLocalInfo(da, &info));
    PetscCall(VecGetArray(u, &pu));
    PetscCall(VecGetArray(f, &pf));
    for (i[2] = info.zs; i[2] < info.zs + info.zm; ++i[2])
      for (i[1] = info.ys; i[1] < info.ys + info.ym; ++i[1])
        for (i[0] = info.xs; i[0] < info.xs + info.xm; ++i[0], ++r) {
          PetscReal x[3];
          PetscInt  a, boundary = 0;
          Place(s, i, x);
          for (a = 0; a < s->dim; ++a) boundary |= s->walls && (i[a] == 0 || i[a] == s->points - 1);
          pu[r] = boundary ? 0.0 : U(s, x);
          pf[r] = boundary ? 0.0 : F(s, x);
        }
    PetscCall(VecRestoreArray(u, &pu));
    PetscCall(VecRestoreArray(f, &pf));
  } else {
    PetscInt first, last, r;
    PetscCall(VecGetOwnershipRange(u, &first, &last));
    for (r = first; r < last; ++r) {
      PetscInt  i[3];
      PetscReal x[3];
      i[0] = r % s->n, i[1] = r / s->n % s->n, i[2] = r / (s->n * s->n);
      Place(s, i, x);
      PetscCall(VecSetValue(u, r, U(s, x), INSERT_VALUES));
      PetscCall(VecSetValue(f, r, F(s, x), INSERT_VALUES));
    }
    PetscCall(VecAssemblyBegin(u));
    PetscCall(VecAssemblyEnd(u));
    PetscCall(VecAssemblyBegin(f));
    PetscCall(VecAssemblyEnd(f));
  }
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  Setup     s = {33, 2, 33, 1, PETSC_FALSE, PETSC_FALSE, PETSC_FALSE, 0.0, 1.0, 0.0, 0.0, NULL};
  char      name[16] = "da";
  PetscBool is_da, is_walls, is_shell, is_rows, three = PETSC_FALSE, forget = PETSC_FALSE;
  PetscInt  max_its = 10000, solves = 1, k, bad = 0;
  PetscReal max_error = 1e-3;
  KSP       ksp;
  DM        da = NULL;
  Mat       A = NULL;
  Vec       u, f, x;

  PetscCall(PetscInitialize(&argc, &argv, NULL, NULL));
  PetscCall(PetscOptionsGetString(NULL, NULL, "-case", name, sizeof name, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-n", &s.n, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-solves", &solves, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-max_its", &max_its, NULL));
  PetscCall(PetscOptionsGetReal(NULL, NULL, "-max_error", &max_error, NULL));
  PetscCall(PetscOptionsGetReal(NULL, NULL, "-wind", &s.wind, NULL));
  PetscCall(PetscOptionsGetReal(NULL, NULL, "-growth", &s.growth, NULL));
  PetscCall(PetscOptionsGetBool(NULL, NULL, "-jump", &s.jump, NULL));
  PetscCall(PetscOptionsGetBool(NULL, NULL, "-neumann", &s.neumann, NULL));
  PetscCall(PetscOptionsGetBool(NULL, NULL, "-three", &three, NULL));
  PetscCall(PetscOptionsGetBool(NULL, NULL, "-forget", &forget, NULL));
  PetscCall(PetscStrcmp(name, "da", &is_da));
  PetscCall(PetscStrcmp(name, "walls", &is_walls));
  PetscCall(PetscStrcmp(name, "rows", &is_rows));
  PetscCall(PetscStrcmp(name, "shell", &is_shell));
  PetscCheck(is_da || is_walls || is_rows || is_shell, PETSC_COMM_WORLD, PETSC_ERR_USER_INPUT, "no such case: %s", name);
  s.walls  = is_walls;
  s.dim    = three ? 3 : 2;
  s.lo     = s.walls ? 0 : 1;
  s.points = s.walls ? s.n + 2 : s.n;
  s.h      = 1.0 / (s.n + 1);

  PetscCall(KSPCreate(PETSC_COMM_WORLD, &ksp));
  if (is_da || is_walls) {
    if (s.dim == 3)
      PetscCall(DMDACreate3d(PETSC_COMM_WORLD, DM_BOUNDARY_NONE, DM_BOUNDARY_NONE, DM_BOUNDARY_NONE, DMDA_STENCIL_STAR, s.points, s.points, s.points, PETSC_DECIDE, PETSC_DECIDE, PETSC_DECIDE, 1, 1, NULL, NULL, NULL, &da));
    else
      PetscCall(DMDACreate2d(PETSC_COMM_WORLD, DM_BOUNDARY_NONE, DM_BOUNDARY_NONE, DMDA_STENCIL_STAR, s.points, s.points, PETSC_DECIDE, PETSC_DECIDE, 1, 1, NULL, NULL, &da));
    PetscCall(DMSetFromOptions(da));
    PetscCall(DMSetUp(da));
    PetscCall(KSPSetDM(ksp, da));
    PetscCall(KSPSetComputeOperators(ksp, FillDa, &s));
    PetscCall(DMCreateGlobalVector(da, &u));
  } else {
    PetscInt N = s.n * s.n * (s.dim == 3 ? s.n : 1);
    PetscCall(MatCreateAIJ(PETSC_COMM_WORLD, PETSC_DECIDE, PETSC_DECIDE, N, N, 7, NULL, 4, NULL, &A));
    PetscCall(FillRows(&s, A));
    PetscCall(MatCreateVecs(A, &u, NULL));
    if (is_shell) {
      PetscInt m;
      s.inner = A;
      PetscCall(MatGetLocalSize(s.inner, &m, NULL));
      PetscCall(MatCreateShell(PETSC_COMM_WORLD, m, m, N, N, &s, &A));
      PetscCall(MatShellSetOperation(A, MATOP_MULT, (void (*)(void))MultiplyShell));
    }
    PetscCall(KSPSetOperators(ksp, A, A));
  }
  PetscCall(KSPSetTolerances(ksp, 1e-8, PETSC_DEFAULT, PETSC_DEFAULT, PETSC_DEFAULT));
  PetscCall(KSPSetFromOptions(ksp));
  PetscCall(VecDuplicate(u, &f));
  PetscCall(VecDuplicate(u, &x));

  for (k = 1; k <= solves; ++k) {
    KSPConvergedReason reason;
    PetscInt           its;
    PetscReal          error, size, residual;
    PetscMPIInt        ranks;
    Mat                mat;
    Vec                r;

    if (k > 1) {
      s.scale = (PetscReal)k;
      if (da) {
        PetscCall(KSPSetComputeOperators(ksp, FillDa, &s));
      } else {
        PetscCall(FillRows(&s, is_shell ? s.inner : A));
        if (is_shell) {
          PetscCall(MatAssemblyBegin(A, MAT_FINAL_ASSEMBLY));
          PetscCall(MatAssemblyEnd(A, MAT_FINAL_ASSEMBLY));
        }
      }
    }
    PetscCall(FillVectors(&s, da, u, f));
    if (s.jump || s.neumann || s.wind != 0.0 || s.growth != 0.0) { /* the matrix says what f is */
      PetscCall(KSPSetUp(ksp));
      PetscCall(KSPGetOperators(ksp, &mat, NULL));
      if (s.neumann) {
        PetscScalar sum;
        PetscInt    n;
        PetscCall(VecSum(u, &sum));
        PetscCall(VecGetSize(u, &n));
        PetscCall(VecShift(u, -sum / n));
      }
      PetscCall(MatMult(mat, u, f));
    }
    PetscCall(VecSet(x, 0.0));
    PetscCall(KSPSolve(ksp, f, x));
    PetscCall(KSPGetConvergedReason(ksp, &reason));
    PetscCall(KSPGetIterationNumber(ksp, &its));
    PetscCall(KSPGetResidualNorm(ksp, &residual));
    PetscCall(KSPGetOperators(ksp, &mat, NULL));
    PetscCall(VecDuplicate(u, &r));
    PetscCall(MatMult(mat, x, r));
    PetscCall(VecAYPX(r, -1.0, f));
    PetscCall(VecNorm(r, NORM_2, &error));
    PetscCall(VecNorm(f, NORM_2, &size));
    PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &ranks));
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, "case %s ranks %d: %s, iterations %d, relative residual %.2e, KSP's own %.2e", name, ranks, KSPConvergedReasons[reason], (int)its, (double)(error / size), (double)(residual / size)));
    if (reason <= 0 || its > max_its) bad = 1;
    if (PetscAbsReal(error - residual) > 1e-3 * residual + 1e-12 * size) bad = 1; /* said what is true */
    PetscCall(VecDestroy(&r));
    PetscCall(VecAXPY(x, -1.0, u));
    PetscCall(VecNorm(x, NORM_INFINITY, &error));
    PetscCall(VecNorm(u, NORM_INFINITY, &size));
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, ", error %.2e\n", (double)(error / size)));
    if (!(error <= max_error * size)) bad = 1;
  }
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, bad ? "not as expected\n" : "as expected\n"));
  if (!forget) {
    PetscCall(KSPDestroy(&ksp));
    PetscCall(VecDestroy(&u));
    PetscCall(VecDestroy(&f));
    PetscCall(VecDestroy(&x));
    PetscCall(MatDestroy(&A));
    PetscCall(MatDestroy(&s.inner));
    PetscCall(DMDestroy(&da));
  }
  PetscCall(PetscFinalize());
  return (int)bad;
}
