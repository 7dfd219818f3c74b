#include "http/pipeline.hpp"

#include <boost/asio/co_spawn.hpp>

#include <exception>
#include <optional>
#include <utility>

namespace causeway::http {

struct pipeline::exchange_under_way {
    exchange_under_way(http::request asked, const executor_type& executor)
        : request(std::move(asked))
        , deadline(executor)
    {
    }

    http::request request;
    steady_timer deadline;
    std::optional<pipeline::result> result; // when it has settled
};

pipeline::pipeline(executor_type executor, handler& handler)
    : executor_(std::move(executor))
    , handler_(handler)
    , settled_(std::make_shared<net::wakeup>(executor_))
{
}

pipeline::~pipeline() { cancel(); }

void pipeline::begin(request request)
{
    const auto& exchange = exchanges_.emplace_back(std::make_shared<exchange_under_way>(std::move(request), executor_));
    try {
        auto next = handler_.look_at(exchange->request, exchange->deadline);
        if (auto* at_once = std::get_if<response>(&next))
            exchange->result = std::move(*at_once);
        else
            wait_for(exchange, std::get<awaitable<outcome>>(std::move(next)));
    } catch (const std::exception&) {
        exchange->result = std::current_exception();
    }
}

void pipeline::wait_for(const std::shared_ptr<exchange_under_way>& exchange, awaitable<outcome> wait)
{
    asio::co_spawn(executor_, std::move(wait),
                   [exchange, settled = settled_](std::exception_ptr thrown, outcome of_the_wait) {
                       if (thrown)
                           exchange->result = std::move(thrown);
                       else
                           exchange->result = std::move(of_the_wait);
                       settled->notify();
                   });
}

bool pipeline::ready() const noexcept { return exchanges_.front()->result.has_value(); }

awaitable<pipeline::settled_request> pipeline::take()
{
    while (!ready())
        co_await settled_->wait();
    const auto first = std::move(exchanges_.front());
    exchanges_.pop_front();
    co_return settled_request{std::move(first->request), *std::move(first->result)};
}

void pipeline::cancel()
{
    for (const auto& exchange : exchanges_)
        exchange->deadline.cancel();
}

} // namespace causeway::http
