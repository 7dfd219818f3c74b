// The code server as a program.
#include "service/program.hpp"
#include "service/standalone_server.hpp"

#include <unistd.h>

int main(int argc, char* argv[])
{
    using namespace causeway::service;
    return run_program("code-server", {argc, argv, environ}, parse_code_server_options, run_code_server);
}
