#include "http/pipeline.hpp"

#include "net/rethrow.hpp"

#include <boost/asio/co_spawn.hpp>

#include <utility>

namespace causeway::http {

pipeline::pipeline(executor_type executor, const ask_function& ask)
    : executor_(std::move(executor))
    , ask_(ask)
    , answered_(executor_)
{
}

void pipeline::begin(request request)
{
    auto& exchange = exchanges_.emplace_back(std::move(request), steady_timer(executor_), std::nullopt);
    asio::co_spawn(executor_, find_answer(exchange), net::rethrow);
}

awaitable<> pipeline::find_answer(exchange_under_way& exchange)
{
    exchange.response = co_await answer(exchange.request, ask_, exchange.deadline);
    answered_.notify();
}

awaitable<pipeline::answered_request> pipeline::take()
{
    while (!ready())
        co_await answered_.wait();
    auto& first = exchanges_.front();
    answered_request taken{std::move(first.request), *std::move(first.response)};
    exchanges_.pop_front();
    co_return taken;
}

void pipeline::cancel()
{
    for (auto& exchange : exchanges_)
        exchange.deadline.cancel();
}

} // namespace causeway::http
