#define BOOST_TEST_MODULE causeway_integration
#include <boost/test/unit_test.hpp>
#include <spdlog/spdlog.h>

namespace {

// The log of the code under test would bury the messages of the tests.
struct quiet {
    quiet() { spdlog::set_level(spdlog::level::off); }
};

} // namespace

BOOST_TEST_GLOBAL_FIXTURE(quiet);
