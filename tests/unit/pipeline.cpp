#include "http/pipeline.hpp"
#include "body_of.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/test/unit_test.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

namespace {

namespace asio = causeway::asio;
namespace codes = causeway::codes;
namespace http = causeway::http;
namespace upstream = causeway::upstream;
using causeway::awaitable;
using causeway::steady_timer;

http::request request_for(const std::string& code)
{
    return {.method = boost::beast::http::verb::get, .target = "/?statusCode=" + code};
}

// Gives the code itself at once, but for two: `end` comes when its wait is cancelled, `bad` is an exception.
awaitable<upstream::outcome> ask(codes::code code, steady_timer& deadline)
{
    if (code.text() == "bad")
        throw std::runtime_error("no memory");
    if (code.text() == "end") {
        deadline.expires_at(steady_timer::time_point::max());
        co_await deadline.async_wait(causeway::as_result);
    }
    co_return std::string(code.text());
}

struct fixture {
    // What the first request gets, as far as that is known after all that can happen now has happened.
    void take()
    {
        asio::co_spawn(io, pipeline->take(),
                       [this](const std::exception_ptr& failure, http::pipeline::answered_request answered) {
                           thrown = failure;
                           if (!failure)
                               taken = body_of(answered.response);
                       });
        io.poll();
    }

    asio::io_context io;
    http::ask_function ask_function = ask;
    std::unique_ptr<http::pipeline> pipeline = std::make_unique<http::pipeline>(io.get_executor(), ask_function);
    std::optional<std::string> taken;
    std::exception_ptr thrown;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(pipeline, fixture)

BOOST_AUTO_TEST_CASE(answers_are_taken_in_the_order_of_the_requests)
{
    pipeline->begin(request_for("end"));
    pipeline->begin(request_for("200"));
    io.poll();
    BOOST_TEST(!pipeline->ready());
    take();
    BOOST_TEST(!taken.has_value());

    pipeline->cancel();
    io.restart();
    io.poll();
    BOOST_TEST(taken.value() == R"({"data":"end"})");
    BOOST_TEST(pipeline->ready());
    io.restart();
    take();
    BOOST_TEST(taken.value() == R"({"data":"200"})");
    BOOST_TEST(pipeline->empty());
}

BOOST_AUTO_TEST_CASE(what_asks_for_nothing_has_its_answer_too)
{
    pipeline->begin(request_for("not a code"));

    take();

    BOOST_TEST(taken.value().starts_with(R"({"error":")"), taken.value());
}

BOOST_AUTO_TEST_CASE(an_exception_reaches_who_takes_the_answer_and_no_other)
{
    pipeline->begin(request_for("200"));
    pipeline->begin(request_for("bad"));
    take();
    BOOST_TEST(taken.value() == R"({"data":"200"})");
    BOOST_TEST(!thrown);

    io.restart();
    take();

    BOOST_TEST(static_cast<bool>(thrown));
    BOOST_TEST(pipeline->empty());
}

BOOST_AUTO_TEST_CASE(it_may_go_before_the_answers_are_there)
{
    pipeline->begin(request_for("end"));
    pipeline->begin(request_for("end"));
    io.poll();

    pipeline.reset();

    io.restart();
    io.poll();
    BOOST_TEST(io.stopped(), "somebody still waits");
}

BOOST_AUTO_TEST_SUITE_END()
