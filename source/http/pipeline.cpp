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
    std::optional<std::variant<response, outcome>> result; // this or the failure when it has settled
    std::exception_ptr failure;
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
    auto next = handler_.look_at(exchange->request, exchange->deadline);
    if (auto* at_once = std::get_if<response>(&next)) {
        exchange->result = std::move(*at_once);
        return;
    }
    asio::co_spawn(executor_, std::get<awaitable<outcome>>(std::move(next)),
                   [exchange, settled = settled_](std::exception_ptr failure, outcome of_the_wait) {
                       exchange->failure = std::move(failure);
                       exchange->result = std::move(of_the_wait);
                       settled->notify();
                   });
}

bool pipeline::ready() const noexcept
{
    const auto& first = *exchanges_.front();
    return first.result || first.failure;
}

awaitable<pipeline::settled_request> pipeline::take()
{
    while (!ready())
        co_await settled_->wait();
    const auto first = std::move(exchanges_.front());
    exchanges_.pop_front();
    if (first->failure)
        std::rethrow_exception(first->failure);
    co_return settled_request{std::move(first->request), *std::move(first->result)};
}

void pipeline::cancel()
{
    for (const auto& exchange : exchanges_)
        exchange->deadline.cancel();
}

} // namespace causeway::http
