#include <libsolve/plugin/register.hpp>
#include <tests/cli/test_components.hpp>

LIBSOLVE_PLUGIN(registrar) {
  libsolve::test::register_test_components(registrar);
}
