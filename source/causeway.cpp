// The bridge: HTTP in front of a server that speaks a stream of TCP messages.
#include "service/bridge.hpp"
#include "service/program.hpp"

#include <unistd.h>

int main(int argc, char* argv[])
{
    using namespace causeway::service;
    return run_program("causeway", {argc, argv, environ}, parse_bridge_options, run_bridge);
}
