// The emulated payment host as a program.
#include "service/program.hpp"
#include "service/standalone_server.hpp"

#include <unistd.h>

int main(int argc, char* argv[])
{
    using namespace causeway::service;
    return run_program("iso8583-host", {argc, argv, environ}, parse_iso8583_host_options, run_iso8583_host);
}
