#define BOOST_TEST_MODULE causeway_integration
#include <boost/test/unit_test.hpp>
#include <spdlog/spdlog.h>

namespace {

// What the code under test logs would bury what the tests say.
struct quiet {
    quiet() { spdlog::set_level(spdlog::level::off); }
};

} // namespace

BOOST_TEST_GLOBAL_FIXTURE(quiet);
