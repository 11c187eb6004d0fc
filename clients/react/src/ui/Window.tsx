import type { ReactElement, ReactNode } from "react";
import { Dialog, Heading, Modal, ModalOverlay } from "react-aria-components";

/** What a dialog window is drawn from. */
export interface WindowProps {
  readonly title: string;
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly children: ReactNode;
  readonly actions: ReactNode;
  /** `alertdialog` for a question whose answer cannot be taken back. */
  readonly role?: "dialog" | "alertdialog";
}

/** A modal dialog: holds focus while it is open, gives it back afterwards, closes with Escape. */
export function Window({ title, isOpen, onClose, children, actions, role = "dialog" }: WindowProps): ReactElement {
  return (
    <ModalOverlay
      className="cassius-calendar cc-overlay"
      isOpen={isOpen}
      isDismissable={role === "dialog"}
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
    >
      <Modal className="cc-window">
        <Dialog role={role} className="cc-window-content">
          <Heading slot="title" className="cc-window-title">
            {title}
          </Heading>
          <div className="cc-window-body">{children}</div>
          <div className="cc-window-actions">{actions}</div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
