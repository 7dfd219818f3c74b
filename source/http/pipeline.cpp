#include "http/pipeline.hpp"

#include "http/question.hpp"

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
    std::optional<http::response> response; // this or the failure when it has ended
    std::exception_ptr failure;
};

pipeline::pipeline(executor_type executor, const ask_function& ask)
    : executor_(std::move(executor))
    , ask_(ask)
    , answered_(std::make_shared<net::wakeup>(executor_))
{
}

pipeline::~pipeline() { cancel(); }

void pipeline::begin(request request)
{
    const auto& exchange = exchanges_.emplace_back(std::make_shared<exchange_under_way>(std::move(request), executor_));
    asio::co_spawn(executor_, find_answer(exchange, ask_),
                   [exchange, answered = answered_](std::exception_ptr failure) {
                       exchange->failure = std::move(failure);
                       answered->notify();
                   });
}

awaitable<> pipeline::find_answer(std::shared_ptr<exchange_under_way> exchange, const ask_function& ask)
{
    if (const auto code = code_in(exchange->request))
        exchange->response = answered(co_await ask(*code, exchange->deadline));
    else
        exchange->response = code.error();
}

bool pipeline::ready() const noexcept
{
    const auto& first = *exchanges_.front();
    return first.response || first.failure;
}

awaitable<pipeline::answered_request> pipeline::take()
{
    while (!ready())
        co_await answered_->wait();
    const auto first = std::move(exchanges_.front());
    exchanges_.pop_front();
    if (first->failure)
        std::rethrow_exception(first->failure);
    co_return answered_request{std::move(first->request), *std::move(first->response)};
}

void pipeline::cancel()
{
    for (const auto& exchange : exchanges_)
        exchange->deadline.cancel();
}

} // namespace causeway::http
