#include <unistd.h>

#include <libsolve/core/build_info.hpp>
#include <libsolve/run/run.hpp>
#include <sstream>

namespace libsolve {

EnvironmentRecord environment_record(const Communicator& comm, const std::string& command) {
  EnvironmentRecord e;
  char host[256] = {};
  ::gethostname(host, sizeof host - 1);
  e.host = comm.broadcast(host);
  e.command = comm.broadcast(command);
  e.num_ranks = comm.size();
  e.num_threads = Kokkos::DefaultHostExecutionSpace().concurrency();
  e.device = ExecSpace::name();
  std::ostringstream kokkos;
  Kokkos::print_configuration(kokkos);
  e.kokkos = comm.broadcast(kokkos.str());
  const BuildInfo build = build_info();
  e.compiler = build.compiler;
  e.version = build.version;
  e.revision = build.revision;
  e.build_type = build.build_type;
  return e;
}

}  // namespace libsolve
