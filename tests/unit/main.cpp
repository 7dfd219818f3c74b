#define BOOST_TEST_MODULE causeway_unit
#include <boost/test/unit_test.hpp>
