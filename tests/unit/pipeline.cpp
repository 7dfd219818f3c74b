#include "http/pipeline.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/test/unit_test.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

namespace {

namespace asio = causeway::asio;
namespace http = causeway::http;
using causeway::awaitable;
using causeway::steady_timer;

http::request request_for(const std::string& target) { return {.target = target}; }

// Answers with the target itself: for `/at once` at once, for others after a wait, which for `/end` ends when it is
// cancelled, and for `/bad wait` with an exception. Throws for `/bad`.
class echo final : public http::handler {
public:
    http::reaction look_at(const http::request& request, steady_timer& deadline) override
    {
        if (request.target == "/bad")
            throw std::runtime_error("no memory");
        if (request.target == "/at once")
            return http::response{.body = request.target};
        return wait(request.target, deadline);
    }

    void respond(const http::request&, http::outcome&&, http::response&) override {}

private:
    static awaitable<http::outcome> wait(const std::string& target, steady_timer& deadline)
    {
        if (target == "/bad wait")
            throw std::runtime_error("no memory");
        if (target == "/end") {
            deadline.expires_at(steady_timer::time_point::max());
            co_await deadline.async_wait(causeway::as_result);
        }
        co_return target;
    }
};

struct fixture {
    // The result of the first request, if there is one after everything that is ready has run.
    void take()
    {
        asio::co_spawn(io, pipeline->take(),
                       [this](const std::exception_ptr& failure, http::pipeline::settled_request settled) {
                           BOOST_TEST(!failure);
                           taken = std::move(settled.result);
                       });
        io.poll();
    }

    std::string waited_for() const { return std::get<http::outcome>(taken.value()).value(); }

    asio::io_context io;
    echo handler;
    std::unique_ptr<http::pipeline> pipeline = std::make_unique<http::pipeline>(io.get_executor(), handler);
    std::optional<http::pipeline::result> taken;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(pipeline, fixture)

BOOST_AUTO_TEST_CASE(requests_are_taken_in_their_order)
{
    pipeline->begin(request_for("/end"));
    pipeline->begin(request_for("/200"));
    io.poll();
    BOOST_TEST(!pipeline->ready());
    take();
    BOOST_TEST(!taken.has_value());

    pipeline->cancel();
    io.restart();
    io.poll();
    BOOST_TEST(waited_for() == "/end");
    BOOST_TEST(pipeline->ready());
    io.restart();
    take();
    BOOST_TEST(waited_for() == "/200");
    BOOST_TEST(pipeline->empty());
}

BOOST_AUTO_TEST_CASE(what_needs_no_wait_has_its_response_at_once)
{
    pipeline->begin(request_for("/at once"));

    BOOST_TEST(pipeline->ready());
    take();
    BOOST_TEST(std::get<http::response>(taken.value()).body == "/at once");
}

BOOST_AUTO_TEST_CASE(an_exception_is_the_result_of_its_request_and_of_no_other)
{
    pipeline->begin(request_for("/200"));
    pipeline->begin(request_for("/bad"));
    pipeline->begin(request_for("/bad wait"));
    pipeline->begin(request_for("/201"));
    take();
    BOOST_TEST(waited_for() == "/200");

    for (int i = 0; i != 2; ++i) {
        io.restart();
        take();
        BOOST_TEST(std::holds_alternative<std::exception_ptr>(taken.value()));
    }

    io.restart();
    take();
    BOOST_TEST(waited_for() == "/201");
    BOOST_TEST(pipeline->empty());
}

BOOST_AUTO_TEST_CASE(it_may_go_before_the_outcomes_are_there)
{
    pipeline->begin(request_for("/end"));
    pipeline->begin(request_for("/end"));
    io.poll();

    pipeline.reset();

    io.restart();
    io.poll();
    BOOST_TEST(io.stopped(), "somebody still waits");
}

BOOST_AUTO_TEST_SUITE_END()
