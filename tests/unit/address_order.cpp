#include "upstream/address_order.hpp"

#include <boost/test/unit_test.hpp>

#include <vector>

namespace {

using endpoint = causeway::tcp::endpoint;

endpoint address(unsigned number) { return {causeway::asio::ip::address_v4(0x7f000000U + number), 9670}; }

struct fixture {
    causeway::upstream::address_order addresses;

    std::vector<endpoint> arranged(bool recently) const
    {
        std::vector<endpoint> found{address(1), address(2), address(3)};
        addresses.arrange(found, recently);
        return found;
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(address_order, fixture)

BOOST_AUTO_TEST_CASE(at_first_addresses_are_tried_as_they_were_found)
{
    BOOST_TEST((arranged(true) == std::vector{address(1), address(2), address(3)}));
}

BOOST_AUTO_TEST_CASE(the_one_that_worked_comes_first)
{
    addresses.connected(address(3));
    addresses.ended(true);
    BOOST_TEST((arranged(false) == std::vector{address(3), address(1), address(2)}));
}

BOOST_AUTO_TEST_CASE(for_a_while_it_is_the_only_one)
{
    addresses.connected(address(2));
    addresses.ended(true);
    BOOST_TEST((arranged(true) == std::vector{address(2)}));
}

BOOST_AUTO_TEST_CASE(one_that_did_not_work_comes_last_and_then_each_gets_its_turn)
{
    addresses.connected(address(1));
    addresses.ended(false);
    BOOST_TEST((arranged(true) == std::vector{address(2), address(3), address(1)}));
    addresses.connected(address(2));
    addresses.ended(false);
    BOOST_TEST((arranged(true) == std::vector{address(3), address(1), address(2)}));
    addresses.connected(address(3));
    addresses.ended(false);
    BOOST_TEST((arranged(true) == std::vector{address(1), address(2), address(3)}));
}

BOOST_AUTO_TEST_CASE(one_that_is_out_of_reach_comes_last_too)
{
    addresses.connected(address(1));
    addresses.ended(true);
    addresses.out_of_reach(address(2));
    BOOST_TEST((arranged(true) == std::vector{address(1)}));
    addresses.out_of_reach(address(1));
    BOOST_TEST((arranged(true) == std::vector{address(2), address(3), address(1)}));
}

BOOST_AUTO_TEST_CASE(another_connection_to_it_is_another_chance)
{
    addresses.connected(address(1));
    addresses.ended(false);
    addresses.connected(address(1));
    BOOST_TEST((arranged(true) == std::vector{address(1)}));
}

BOOST_AUTO_TEST_CASE(one_that_the_name_no_longer_stands_for_changes_nothing)
{
    addresses.connected(address(4));
    addresses.ended(true);
    BOOST_TEST((arranged(true) == std::vector{address(1), address(2), address(3)}));
}

BOOST_AUTO_TEST_SUITE_END()
