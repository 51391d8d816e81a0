#include "client/cancelling.h"

#include <array>
#include <future>
#include <memory>
#include <utility>

namespace pgweir::client {

void cancel(BlockingWork& work, PGconn* connection, std::function<void()> over) {
  // PGcancel has all that is needed: the connection may be gone when its turn comes.
  const std::shared_ptr<PGcancel> request(PQgetCancel(connection), FreeCancel{});
  work.add([request, over = std::move(over)](int) {
    std::array<char, 256> ignored{};
    if (request) PQcancel(request.get(), ignored.data(), static_cast<int>(ignored.size()));
    over();
  });
}

bool cancel_and_wait(BlockingWork& work, PGconn* connection, base::Duration time_max) {
  // Shared: who gives up waiting leaves it to the thread that is at it.
  const auto is_over = std::make_shared<std::promise<void>>();
  cancel(work, connection, [is_over] { is_over->set_value(); });
  return is_over->get_future().wait_for(time_max) == std::future_status::ready;
}

}  // namespace pgweir::client
